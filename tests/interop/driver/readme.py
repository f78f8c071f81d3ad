"""The console sessions of the README: each command is run as it stands there, and its answer compared with the one shown.

What differs from run to run is what is shown for it: ids, times, serial numbers, measured values, and tokens, which the
README shortens to `tgpat_…`. An id that a later command names is the one that the gateway gave in the same place.
"""

import json
import os
import re
import shlex
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .checks import equal, expect
from .clients.base import ROOT
from .process import Failed, Running, tail

COMMAND_SECONDS = 20
SHORTENED = "…"
"""At the end of an answer: it goes on. Within a token: the rest is left out."""
ADDRESSES = {"127.0.0.1:8443": "gateway", "127.0.0.1:3443": "iam"}
"""Where the README's demo listens, and what demo.json calls that."""
DATA_DIR = "demo-data"
VENDOR_YEAR = "2026-12-31"
"""The expiry in the vendor's examples, which has to lie ahead."""

TIME = r"\d{4}-\d\d-\d\dT[\d:.]+Z"
VARIES = (
    (rf"{TIME}", "TIME"),
    (r"[A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4} GMT", "TIME"),
    (r"tg(pat|ses)_(…|\w+)", r"tg\1_"),
    (r"\btoken-\w{4}$", "token-HINT"),
    (r"issuing CA [0-9a-f]{8}\b", "issuing CA"),
    (r"\b([0-9a-f]{16}|[0-9a-f]{32})\b", "HEX"),
    (r"^(id: )\d{15,19}$", r"\1ID"),
)
MEMBERS_THAT_VARY = {"id", "tokenHint", "x5t#S256", "remainingSeconds", "lastUsedAt", "lastUsedIp", "lastUses"}
ID = re.compile(r"\d{15,19}")
TOKEN = re.compile(r"tgpat_[A-Za-z0-9]{20,}_\w+")


@dataclass(frozen=True)
class Step:
    """A command, and the answer that the README shows."""

    command: str
    answer: str


def complete(command):
    """Whether a shell would run this, and not wait for more."""
    return command.count("'") % 2 == 0 and not command.endswith("\\")


def steps(text):
    """The commands of a text's `console` blocks."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        lines = iter(block.splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while not complete(command):
                    command += "\n" + next(lines)
                found.append(Step(command, ""))
            else:
                expect(found, f"an answer without a command: {line}")
                found[-1] = Step(found[-1].command, found[-1].answer + line + "\n")
    return found


def sections(title):
    """What stands under a heading of the README before the first smaller one, and those by the first word of theirs."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    expect(found, f"the README has no section {title!r}")
    before, *parts = re.split(r"^### ", found[1], flags=re.M)
    return before, {part.split(None, 1)[0]: part for part in parts}


class Session:
    """A shell in a folder of its own, with the demo's data beside it."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._folder = tempfile.TemporaryDirectory(prefix="tollgate-readme-")
        folder = Path(self._folder.name)
        (folder / DATA_DIR).symlink_to(gateway.data_dir)
        (folder / "bin").mkdir()
        (folder / "bin" / "tollgate").symlink_to(gateway.binary)
        self._path = f"{folder / 'bin'}:{ROOT / '.tools' / 'bin'}:{os.environ['PATH']}"
        self._settings = []
        self._ids = {}
        self._token = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def run(self, step):
        """Runs the command and compares."""
        command, expected = self._here(step.command), self._here(step.answer)
        variable = re.match(r"([A-Z_]+)=", command)
        if variable:
            value = self._ended(f'{command}\nprintf %s "${variable[1]}"')
            expect(value, f"{command} sets nothing")
            self._settings.append(f"{variable[1]}={shlex.quote(value)}")
        elif not step.answer:
            equal(self._ended(command), "", f"what {step.command!r} printed")
            if re.match(r"export |[a-z]+\(\) \{", command):
                self._settings.append(command)
        elif expected.endswith(f"\n{SHORTENED}\n"):
            self._streams(command, expected.splitlines()[:-1])
        else:
            self._compare(step.command, expected, self._ended(command))

    def _here(self, text):
        """What the README says, for this gateway and this day."""
        for shown, name in ADDRESSES.items():
            text = text.replace(shown, self._gateway.facts[name])
        text = text.replace(VENDOR_YEAR, f"{time.gmtime().tm_year + 1}-12-31")
        text = ID.sub(lambda found: self._ids.get(found[0], found[0]), text)
        return re.sub(r"(?<==)tgpat_…", self._token, text)

    def _start(self, command):
        script = "\n".join([f"cd '{self._folder.name}'", *self._settings, command])
        return Running(["bash", "-c", script], env={"PATH": self._path})

    def _ended(self, command):
        with self._start(command) as running:
            code = running.wait_end(COMMAND_SECONDS)
            expect(code == 0, f"{command} ended with {code}: {tail(running.text)}")
            return running.out

    def _streams(self, command, lines):
        paths = [line.split(" ", 1)[1].rsplit(" ", 1)[0] for line in lines]
        with self._start(command) as running:
            seen = lambda: all(f" {path} " in running.out for path in paths)
            running.wait_until(seen, COMMAND_SECONDS, f"values of {paths}")

    def _compare(self, command, shown, printed):
        token = TOKEN.search(printed)
        self._token = token[0] if token else self._token
        try:
            wanted, got = json.loads(shown), json.loads(printed)
        except json.JSONDecodeError:
            lines = [[line.rstrip() for line in _constant(text).splitlines()] for text in (printed, shown)]
            equal(*lines, f"answer to {command}")
            self._ids.update(zip(ID.findall(shown), ID.findall(printed)))
            return
        try:
            self._learn(wanted, got, "")
        except Failed as failure:
            raise Failed(f"{command}: {failure}\n{tail(printed)}") from None

    def _learn(self, shown, got, where):
        """The answer has the same members and, but for what varies, values; which id stands for which is kept."""
        name = where.rsplit("/", 1)[-1]
        if isinstance(shown, dict) and isinstance(got, dict):
            equal(list(got), list(shown), f"members of {where or '/'}")
            for key in shown:
                self._learn(shown[key], got[key], f"{where}/{key}")
        elif isinstance(shown, list) and isinstance(got, list) and name not in MEMBERS_THAT_VARY:
            equal(len(got), len(shown), f"length of {where}")
            for index, (one, other) in enumerate(zip(shown, got)):
                self._learn(one, other, f"{where}/{index}")
        elif isinstance(shown, str) and isinstance(got, str) and ID.fullmatch(shown) and ID.fullmatch(got):
            known = shown if shown in self._ids.values() else self._ids.get(shown)
            if known:
                equal(got, known, where)
            else:
                expect(got not in self._ids.values(), f"{where}: {got} stands for another id than {shown}")
                self._ids[shown] = got
        elif name not in MEMBERS_THAT_VARY:
            equal(_constant(got), _constant(shown), where)


def _constant(value):
    """Without what differs from run to run."""
    if isinstance(value, str):
        for pattern, constant in VARIES:
            value = re.sub(pattern, constant, value, flags=re.M)
    return value
