"""gnmic, every mode of it."""

from driver import checks
from driver.checks import ORIGIN_OBJECTS, equal, everything, expect
from driver.clients import Gnmic
from driver.clients.base import Subscribe
from driver.events import leaves
from driver.gateway import OBJECTS, Bearer, Password

missing = Gnmic.missing


def test_gnmic_capabilities(lab):
    checks.capabilities(lab.gnmic)


def test_gnmic_get_json(lab):
    checks.get_measured(lab.gnmic, "json")


def test_gnmic_get_json_ietf(lab):
    checks.get_measured(lab.gnmic, "json_ietf")


def test_gnmic_get_proto(lab):
    checks.get_measured(lab.gnmic, "proto")


def test_gnmic_set_and_get(lab):
    checks.set_and_get(lab.gnmic)


def test_gnmic_once(lab):
    checks.once_with_sync(lab.gnmic)


def test_gnmic_once_proto(lab):
    checks.once_with_sync(lab.gnmic, "proto")


def test_gnmic_poll_answers_every_poll(lab):
    checks.poll(lab.gnmic, rounds=3)


def test_gnmic_stream_target_defined(lab):
    checks.stream_measured(lab.gnmic, "target_defined")


def test_gnmic_stream_on_change(lab):
    checks.stream_measured(lab.gnmic, "on_change")


def test_gnmic_stream_sample(lab):
    checks.stream_measured(lab.gnmic, "sample", sample=1)


def test_gnmic_on_change_sends_changes_and_deletes_only(lab):
    checks.on_change(lab.gnmic, lab.gnmic)


def test_gnmic_heartbeat_repeats_an_unchanged_leaf(lab):
    checks.heartbeat(lab.gnmic, lab.gnmic)


def test_gnmic_sample_repeats_every_leaf(lab):
    checks.sample(lab.gnmic, lab.gnmic)


def test_gnmic_sample_suppresses_what_has_not_changed(lab):
    checks.sample_suppressed(lab.gnmic, lab.gnmic)


def test_gnmic_updates_only(lab):
    checks.updates_only(lab.gnmic, lab.gnmic)


def test_gnmic_encodings(lab):
    checks.encodings(lab.gnmic, lab.gnmic)


def test_gnmic_targets(lab):
    checks.targets(lab.gnmic, lab.gnmic)


def test_gnmic_gzip(lab):
    gateway = lab.gateway
    found = lab.gnmic.once(gateway.bearer, everything(options=("--gzip",)))
    checks.all_measured(gateway, found)
    checks.stream_measured(lab.gnmic, "on_change", options=("--gzip",))
    version, _, _ = lab.gnmic.capabilities(gateway.bearer, options=["--gzip"])
    equal(version, "0.10.0", "version over gzip")


def test_gnmic_seed_path_with_and_without_first_element(lab):
    checks.seed_paths(lab.gnmic)


def test_gnmic_metadata_predicate(lab):
    checks.labelled(lab.gnmic)


def test_gnmic_wildcards_and_partial_keys(lab):
    gateway = lab.gateway
    one = gateway.monitored_objects()[0]
    key = one.path[one.path.index("[") : one.path.index("]") + 1]
    whole = {leaf.path for leaf in leaves(lab.gnmic.once(gateway.bearer, everything()))}
    for path, wanted in (
        (f"accedian:{OBJECTS}/monitored-object/metrics/delay-avg", "/metrics/delay-avg"),
        (f"accedian:{OBJECTS}/monitored-object[monitored-object-id=*]/metrics/delay-avg", "/metrics/delay-avg"),
        ("accedian:/object-type/*/monitored-objects/*/metrics/delay-avg", "/metrics/delay-avg"),
        ("accedian:/.../delay-avg", "/metrics/delay-avg"),
        (f"accedian:{OBJECTS}/monitored-object{key}/metrics/delay-avg", f"{key[1:-1]}"),
    ):
        found = {leaf.path for leaf in leaves(lab.gnmic.once(gateway.bearer, Subscribe((path,))))}
        same = {leaf for leaf in whole if leaf.endswith("/metrics/delay-avg") and wanted in leaf}
        equal(found, same, path)


def test_gnmic_get_of_nothing_is_not_found(lab):
    equal(lab.gnmic.refusal("get", lab.gateway.bearer, "accedian:/nowhere"), "NotFound", "Get")


def test_gnmic_credentials_that_are_accepted(lab):
    gateway = lab.gateway
    checks.accepts(lab.gnmic, gateway.bearer, Bearer(f"Bearer {gateway.bearer.token}"), gateway.person)
    checks.accepts_person_and_pat(lab.gnmic)


def test_gnmic_bearer_wins_over_user_and_password(lab):
    options = ("-u", "nobody", "-p", "wrong")
    found = lab.gnmic.once(lab.gateway.bearer, everything(options=options))
    checks.all_measured(lab.gateway, found)
    wrong = everything(options=("-u", lab.gateway.person.username, "-p", lab.gateway.person.password))
    equal(lab.gnmic.refusal("once", lab.gateway.wrong(), wrong), "Unauthenticated", "no fallback after a bad bearer")


def test_gnmic_wrong_pat_on_every_call(lab):
    checks.refuses(lab.gnmic, lab.gateway.wrong(), "capabilities", "get", "set", "once")


def test_gnmic_expired_pat_on_every_call(lab):
    checks.refuses(lab.gnmic, lab.gateway.expired(), "capabilities", "get", "set", "once")


def test_gnmic_revoked_pat_on_every_call(lab):
    checks.refuses(lab.gnmic, lab.gateway.revoked(), "capabilities", "get", "set", "once")


def test_gnmic_wrong_password(lab):
    checks.refuses_wrong_password(lab.gnmic)


def test_gnmic_wrong_pat_as_password(lab):
    checks.refuses(lab.gnmic, Password("token", lab.gateway.wrong().token))


def test_gnmic_no_credential(lab):
    checks.refuses(lab.gnmic, Password("", ""), "capabilities")


def test_gnmic_revocation_ends_the_stream_within_a_second(lab):
    checks.revocation_ends_stream(lab.gnmic)


def test_gnmic_expiry_ends_the_stream_within_a_second(lab):
    checks.expiry_ends_stream(lab.gnmic)


def test_gnmic_another_tenant_sees_nothing(lab):
    gateway = lab.gateway
    tenant = gateway.fresh("tenant")
    gateway.create_tenant(tenant)
    stranger = Bearer(gateway.create_pat(gateway.create_account("tenant-admin", tenant), tenant=tenant).token)
    data = checks.Published(lab.gnmic, lab.gnmic)
    for path, target in ((ORIGIN_OBJECTS, ""), ("/...", "*"), ("/interop", "*")):
        found = leaves(lab.gnmic.once(stranger, Subscribe((path,), target=target)))
        expect(not found, f"a stranger sees {found[:3]} at {path} of target {target!r}")
    equal(lab.gnmic.refusal("once", stranger, data.subscribe("on_change")), "NotFound", "another tenant's target")
