"""The commands that the demo prints: each, pasted as it stands, streams what was measured."""

import json
import os
import re
import stat

from driver import checks
from driver.checks import equal, expect
from driver.clients import GnmiCli, Gnmic, Pygnmi
from driver.clients.base import ROOT
from driver.gateway import Bearer
from driver.process import Running


def missing():
    return next(filter(None, (client.missing() for client in (Gnmic, GnmiCli, Pygnmi))), "")


def printed_commands(text):
    """The indented blocks of the banner that are commands; one goes on over the lines of an open quote or after a backslash."""
    commands, open_command = [], ""
    for line in text.splitlines():
        if open_command:
            open_command += "\n" + line
        elif re.match(r"\s+(\S+=\S+ )*(\S*/)?(tollgate|gnmic|gnmi_cli|python3|curl)\b", line):
            open_command = line.strip()
        if open_command and open_command.count("'") % 2 == 0 and not open_command.endswith("\\"):
            commands.append(open_command)
            open_command = ""
    return commands


def _commands(lab):
    found = lab.gateway.process.wait_until(lambda: printed_commands(lab.gateway.process.out), 5, "printed commands")
    expect(len(found) >= 6, f"only these commands were found: {found}")
    return found


def _paste(command):
    """In a shell that finds the installed clients, as on the machine of somebody who has them."""
    path = [str(ROOT / ".tools" / "bin"), str(Pygnmi.python().parent), os.environ["PATH"]]
    return Running(["bash", "-c", command], env={"PATH": ":".join(path)})


def test_demo_printed_commands_stream_measured_delays(lab):
    for name in ("gnmicli --addr", "gnmic ", "gnmi_cli ", "python3 "):
        matching = [one for one in _commands(lab) if name in one and "capabilities" not in one and "admin" not in one]
        expect(matching, f"no command with {name!r} was printed")
        for command in matching:
            with _paste(command) as running:
                delay = lambda: re.search(r"delay-avg[\s\S]{0,200}?[\d.]*[1-9][\d.]*", running.text)
                running.wait_until(delay, 20, "measured delays")


def test_demo_printed_capabilities_commands_answer(lab):
    matching = [one for one in _commands(lab) if "capabilities" in one]
    expect(len(matching) >= 2, "a token's and a person's")
    for command in matching:
        with _paste(command) as running:
            equal(running.wait_end(20), 0, command)
            expect("0.10.0" in running.text, running.text)


def test_demo_printed_pat_list_answers(lab):
    for command in (one for one in _commands(lab) if " pat list " in one):
        with _paste(command) as running:
            equal(running.wait_end(20), 0, command)
            expect(str(lab.gateway.facts["credential_id"]) in running.text, running.text)
            expect(lab.gateway.bearer.token not in running.text, "the list shows a token")


def test_demo_printed_curl_commands_answer(lab):
    matching = [one for one in _commands(lab) if one.startswith("curl ")]
    expect(any("/healthz" in one for one in matching), f"no health among {matching}")
    for command in matching:
        with _paste(command.replace("curl ", "curl --fail ", 1)) as running:
            equal(running.wait_end(20), 0, f"{command}: {running.text}")


def test_demo_printed_vendor_steps_make_a_token_that_streams(lab):
    me = next(one for one in _commands(lab) if "/auth/v1/users/me" in one)
    pats = next(one for one in _commands(lab) if one.startswith("curl ") and "/pats" in one)
    with _paste(me) as running:
        equal(running.wait_end(20), 0, me)
        user = json.loads(running.out)["user"]["id"]
    expect(f"/users/{user}/pats" in pats, f"the second step is not for {user}: {pats}")
    with _paste(pats) as running:
        equal(running.wait_end(20), 0, pats)
        token = json.loads(running.out)["token"]
    expect(token != lab.gateway.bearer.token, "no new token was made")
    checks.accepts(lab.gnmic, Bearer(token))


def test_demo_facts_are_readable_by_the_owner_alone(lab):
    mode = stat.S_IMODE((lab.gateway.data_dir / "demo.json").stat().st_mode)
    equal(oct(mode), oct(0o600), "mode of demo.json")
    told = {"gateway", "ca_file", "tenant", "token", "admin_username", "admin_password", "machine_user_id"}
    expect(told | {"credential_id"} <= set(lab.gateway.facts), f"demo.json has only {sorted(lab.gateway.facts)}")
