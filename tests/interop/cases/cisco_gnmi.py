"""cisco-gnmi, every mode of it. It offers no bearer token: a PAT goes as the password. It sends no prefix."""

from driver import checks
from driver.checks import equal
from driver.clients import Cisco
from driver.clients.base import Subscribe
from driver.events import leaves
from driver.gateway import OBJECTS, Password

missing = Cisco.missing


def test_cisco_gnmi_capabilities(lab):
    checks.capabilities(lab.cisco)


def test_cisco_gnmi_get_json(lab):
    checks.get_measured(lab.cisco, "json")


def test_cisco_gnmi_get_json_ietf(lab):
    checks.get_measured(lab.cisco, "json_ietf")


def test_cisco_gnmi_set(lab):
    # In Get it cannot name a target, so another client reads what it has written.
    checks.set_and_get(lab.cisco, get=lab.pygnmi)


def test_cisco_gnmi_once(lab):
    checks.once_with_sync(lab.cisco)


def test_cisco_gnmi_once_json_ietf(lab):
    checks.once_with_sync(lab.cisco, "json_ietf")


def test_cisco_gnmi_poll_answers_every_poll(lab):
    checks.poll(lab.cisco, rounds=3)


def test_cisco_gnmi_stream_target_defined(lab):
    checks.stream_measured(lab.cisco, "target_defined")


def test_cisco_gnmi_stream_on_change(lab):
    checks.stream_measured(lab.cisco, "on_change")


def test_cisco_gnmi_stream_sample(lab):
    checks.stream_measured(lab.cisco, "sample", sample=1)


def test_cisco_gnmi_on_change_sends_changes_and_deletes_only(lab):
    checks.on_change(lab.cisco, lab.cisco)


def test_cisco_gnmi_heartbeat_repeats_an_unchanged_leaf(lab):
    checks.heartbeat(lab.cisco, lab.cisco)


def test_cisco_gnmi_sample_repeats_every_leaf(lab):
    checks.sample(lab.cisco, lab.cisco)


def test_cisco_gnmi_sample_suppresses_what_has_not_changed(lab):
    checks.sample_suppressed(lab.cisco, lab.cisco)


def test_cisco_gnmi_encodings(lab):
    checks.encodings(lab.cisco, lab.cisco)


def test_cisco_gnmi_targets(lab):
    checks.targets(lab.cisco, lab.cisco)


def test_cisco_gnmi_paths_of_its_kinds_of_device(lab):
    # The plain client leaves the module in the first element's name; for IOS XR it becomes the origin.
    prefixed = (f"/accedian:session{OBJECTS}", f"/accedian:{OBJECTS[1:]}")
    checks.seed_paths(lab.cisco, f"accedian:{OBJECTS}", OBJECTS, *prefixed)
    whole = {leaf.path for leaf in leaves(checks.once(lab.cisco))}
    for path in prefixed:
        # Its IOS XR flavour asks for PROTO only, and never leaves the mode to the target.
        wanted = Subscribe((path,), encoding="proto", stream_mode="on_change", options=(("os", "IOS XR"),))
        found = {leaf.path for leaf in leaves(lab.cisco.once(lab.gateway.bearer, wanted))}
        equal(found, whole, f"leaves of {path} for IOS XR")


def test_cisco_gnmi_metadata_predicate(lab):
    checks.labelled(lab.cisco)


def test_cisco_gnmi_credentials_that_are_accepted(lab):
    checks.accepts(lab.cisco, lab.gateway.person)
    checks.accepts_person_and_pat(lab.cisco)
    checks.accepts(lab.cisco, Password("demo-export", lab.gateway.bearer.token))


def test_cisco_gnmi_wrong_pat(lab):
    checks.refuses(lab.cisco, lab.gateway.wrong())


def test_cisco_gnmi_expired_pat(lab):
    checks.refuses(lab.cisco, lab.gateway.expired())


def test_cisco_gnmi_revoked_pat(lab):
    checks.refuses(lab.cisco, lab.gateway.revoked())


def test_cisco_gnmi_wrong_password(lab):
    checks.refuses_wrong_password(lab.cisco)


def test_cisco_gnmi_revocation_ends_the_stream_within_a_second(lab):
    checks.revocation_ends_stream(lab.cisco)
