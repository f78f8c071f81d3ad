"""pygnmi, every mode of it. It asks for Capabilities first, and sends an empty user name and password with a token."""

from driver import checks
from driver.checks import ORIGIN_OBJECTS, equal, everything, expect
from driver.clients import Pygnmi
from driver.clients.base import NS, Subscribe
from driver.clients.pygnmi import printed
from driver.events import Sync, leaves
from driver.gateway import Bearer, Password

missing = Pygnmi.missing


def test_pygnmi_capabilities(lab):
    checks.capabilities(lab.pygnmi)


def test_pygnmi_connects_with_a_certificate_that_it_fetches_itself(lab):
    version, _, _ = lab.pygnmi.capabilities(lab.gateway.bearer, path_cert="", skip_verify=True)
    equal(version, "0.10.0", "version")


def test_pygnmi_get_json(lab):
    checks.get_measured(lab.pygnmi, "json")


def test_pygnmi_get_json_ietf(lab):
    checks.get_measured(lab.pygnmi, "json_ietf")


def test_pygnmi_set_and_get(lab):
    checks.set_and_get(lab.pygnmi)


def test_pygnmi_once(lab):
    checks.once_with_sync(lab.pygnmi)


def test_pygnmi_once_low_level(lab):
    found = lab.pygnmi.raw_once(lab.gateway.bearer, everything())
    checks.all_measured(lab.gateway, found)
    expect(found.count(Sync()) == 1 and found[-1] == Sync(), "sync_response comes once, and last")
    equal({leaf.form for leaf in leaves(found)}, {"jsonVal"}, "the encoding that it picks from Capabilities")


def test_pygnmi_poll_answers_every_poll(lab):
    checks.poll(lab.pygnmi, rounds=3)


def test_pygnmi_stream_target_defined(lab):
    checks.stream_measured(lab.pygnmi, "target_defined")


def test_pygnmi_stream_on_change(lab):
    checks.stream_measured(lab.pygnmi, "on_change")


def test_pygnmi_stream_sample(lab):
    checks.stream_measured(lab.pygnmi, "sample", sample=1)


def test_pygnmi_several_modes_in_one_list(lab):
    data = checks.Published(lab.pygnmi, lab.pygnmi)
    sampled = {"path": data.still, "mode": "sample", "sample_interval": NS}
    wanted = Subscribe((data.value,), stream_mode="on_change", target=data.target, options=(tuple(sampled.items()),))
    with lab.pygnmi.stream(data.gateway.bearer, wanted) as stream:
        repeated = lambda events: len(checks.values(events, data.still)) >= 3
        stream.wait(repeated, 10, "samples of one path")
        data.write((data.value, 2))
        stream.wait_value(data.value, 2)
        equal(checks.values(stream.events(), data.value), [1, 2], "changes of the other")


def test_pygnmi_on_change_sends_changes_and_deletes_only(lab):
    checks.on_change(lab.pygnmi, lab.pygnmi)


def test_pygnmi_heartbeat_repeats_an_unchanged_leaf(lab):
    checks.heartbeat(lab.pygnmi, lab.pygnmi)


def test_pygnmi_sample_repeats_every_leaf(lab):
    checks.sample(lab.pygnmi, lab.pygnmi)


def test_pygnmi_sample_suppresses_what_has_not_changed(lab):
    checks.sample_suppressed(lab.pygnmi, lab.pygnmi)


def test_pygnmi_updates_only(lab):
    checks.updates_only(lab.pygnmi, lab.pygnmi)


def test_pygnmi_encodings(lab):
    checks.encodings(lab.pygnmi, lab.pygnmi)


def test_pygnmi_seed_path_with_and_without_first_element(lab):
    checks.seed_paths(lab.pygnmi)


def test_pygnmi_metadata_predicate(lab):
    checks.labelled(lab.pygnmi)


def test_pygnmi_credentials_that_are_accepted(lab):
    gateway = lab.gateway
    checks.accepts(lab.pygnmi, gateway.bearer, Bearer(f"Bearer {gateway.bearer.token}"), gateway.person)
    checks.accepts_person_and_pat(lab.pygnmi)


def test_pygnmi_wrong_pat(lab):
    checks.refuses(lab.pygnmi, lab.gateway.wrong())


def test_pygnmi_expired_pat(lab):
    checks.refuses(lab.pygnmi, lab.gateway.expired())


def test_pygnmi_revoked_pat(lab):
    checks.refuses(lab.pygnmi, lab.gateway.revoked())


def test_pygnmi_wrong_password(lab):
    checks.refuses_wrong_password(lab.pygnmi)


def test_pygnmi_wrong_pat_as_password(lab):
    checks.refuses(lab.pygnmi, Password("token", lab.gateway.wrong().token))


def test_pygnmi_revocation_ends_the_stream_within_a_second(lab):
    checks.revocation_ends_stream(lab.pygnmi)


def test_pygnmi_learns_why_its_stream_ended(lab):
    gateway = lab.gateway
    pat = gateway.create_pat(gateway.create_account())
    with lab.pygnmi.stream(Bearer(pat.token), everything()) as stream:
        stream.wait(leaves, 10, "first values")
        gateway.revoke_pat(pat)
        stream.wait_ending(5)
        last = printed(stream.running.out)[-1]
        trailers = last["trailers"]
        expect("revoked" in last["refused"][1], f"the message names no reason: {last['refused'][1]}")
        expect("x-auth-reason" in trailers, f"no x-auth-reason among {sorted(trailers)}")
        equal(trailers.get("x-token-id"), pat.id, "x-token-id")
        expect(pat.token not in str(last), "the token is in what the stream ended with")


def test_pygnmi_expiry_ends_the_stream_within_a_second(lab):
    checks.expiry_ends_stream(lab.pygnmi)


def test_pygnmi_keepalive_pings_are_tolerated(lab):
    wanted = Subscribe((f"{ORIGIN_OBJECTS}/nothing-here",), stream_mode="on_change")
    options = {"keepalive_time_ms": 10_000, "keepalive_timeout_ms": 5_000}
    with lab.pygnmi.stream(lab.gateway.bearer, wanted, **options) as stream:
        stream.wait_sync()
        over = checks.time.monotonic() + 35
        stream.wait(lambda _: checks.time.monotonic() > over, 40, "35 s with a ping every ten")
        expect(not stream.running.ended(), "the stream ended")


