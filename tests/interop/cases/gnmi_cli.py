"""gnmi_cli, every mode of it. It offers no bearer token: a PAT goes as the password."""

import re

from driver import checks
from driver.checks import equal, expect
from driver.clients import GnmiCli
from driver.gateway import OBJECTS, SEED_QUERY, Password

missing = GnmiCli.missing


def test_gnmi_cli_capabilities(lab):
    checks.capabilities(lab.gnmi_cli)


def test_gnmi_cli_get_json(lab):
    checks.get_measured(lab.gnmi_cli, "json")


def test_gnmi_cli_get_json_ietf(lab):
    checks.get_measured(lab.gnmi_cli, "json_ietf")


def test_gnmi_cli_get_proto(lab):
    checks.get_measured(lab.gnmi_cli, "proto")


def test_gnmi_cli_set_and_get(lab):
    checks.set_and_get(lab.gnmi_cli)


def test_gnmi_cli_once(lab):
    checks.once_with_sync(lab.gnmi_cli)


def test_gnmi_cli_once_proto(lab):
    checks.once_with_sync(lab.gnmi_cli, "proto")


def _delays(text):
    """The delays in the tree that it prints, where a JSON value stands in braces behind a note."""
    return [float(value) for value in re.findall(r'"delay-avg":\s*(?:\{\D*)?([\d.]+)', text)]


def test_gnmi_cli_short_form_once(lab):
    text = lab.gnmi_cli.query(lab.gateway.bearer, "o", SEED_QUERY)
    expect(_delays(text) and all(value > 0 for value in _delays(text)), f"no measured delays: {text[-800:]}")


def test_gnmi_cli_short_form_streaming(lab):
    text = lab.gnmi_cli.query(lab.gateway.bearer, "s", OBJECTS, seconds=5)
    expect(len(set(_delays(text))) >= 2, f"the delays do not change: {text[-800:]}")


def test_gnmi_cli_poll_answers_every_poll(lab):
    answers = lab.gnmi_cli.poll(lab.gateway.bearer, checks.Subscribe((OBJECTS,)), 3)
    equal(len(answers), 3, "polls answered")
    for answer in answers:
        delays = _delays(answer)
        equal(len(delays), len(lab.gateway.monitored_objects()), "objects in an answer")
        expect(all(value > 0 for value in delays), f"not measured: {delays}")


def test_gnmi_cli_stream_target_defined(lab):
    checks.stream_measured(lab.gnmi_cli, "target_defined")


def test_gnmi_cli_stream_on_change(lab):
    checks.stream_measured(lab.gnmi_cli, "on_change")


def test_gnmi_cli_stream_sample(lab):
    checks.stream_measured(lab.gnmi_cli, "sample", sample=1)


def test_gnmi_cli_on_change_sends_changes_and_deletes_only(lab):
    checks.on_change(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_heartbeat_repeats_an_unchanged_leaf(lab):
    checks.heartbeat(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_sample_repeats_every_leaf(lab):
    checks.sample(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_sample_suppresses_what_has_not_changed(lab):
    checks.sample_suppressed(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_updates_only(lab):
    checks.updates_only(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_encodings(lab):
    checks.encodings(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_targets(lab):
    checks.targets(lab.gnmi_cli, lab.gnmi_cli)


def test_gnmi_cli_seed_path_with_and_without_first_element(lab):
    checks.seed_paths(lab.gnmi_cli)


def test_gnmi_cli_metadata_predicate(lab):
    checks.labelled(lab.gnmi_cli)


def test_gnmi_cli_credentials_that_are_accepted(lab):
    checks.accepts(lab.gnmi_cli, lab.gateway.person)
    checks.accepts_person_and_pat(lab.gnmi_cli)
    checks.accepts(lab.gnmi_cli, Password("demo-export", lab.gateway.bearer.token))


def test_gnmi_cli_wrong_pat(lab):
    checks.refuses(lab.gnmi_cli, lab.gateway.wrong(), "capabilities", "once")


def test_gnmi_cli_expired_pat(lab):
    checks.refuses(lab.gnmi_cli, lab.gateway.expired(), "capabilities", "once")


def test_gnmi_cli_revoked_pat(lab):
    checks.refuses(lab.gnmi_cli, lab.gateway.revoked(), "capabilities", "once")


def test_gnmi_cli_wrong_password(lab):
    checks.refuses_wrong_password(lab.gnmi_cli)


def test_gnmi_cli_revocation_ends_the_stream_within_a_second(lab):
    checks.revocation_ends_stream(lab.gnmi_cli)
