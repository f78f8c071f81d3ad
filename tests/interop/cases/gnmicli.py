"""`tollgate gnmicli`, with the flags of the vendor's example."""

from driver import checks
from driver.checks import expect
from driver.clients.base import Subscribe
from driver.clients.gnmicli import printed_values
from driver.gateway import SEED_QUERY
from driver.process import Running, run


def missing():
    return ""


def _streams(lab, command):
    """The command goes on printing measured values."""
    with Running(command) as running:
        one = lab.gateway.monitored_objects()[0].path
        delay = f"{one}/metrics/delay-avg"
        times = lambda: {leaf.timestamp for leaf in printed_values(running.out) if leaf.path == delay}
        running.wait_until(lambda: len(times()) >= 2, 20, "a second report")
        checks.all_measured(lab.gateway, printed_values(running.out))


def test_gnmicli_seed_example_as_printed(lab):
    _streams(lab, lab.gnmicli.command(lab.gateway.bearer, SEED_QUERY))


def test_gnmicli_is_started_by_its_own_name(lab):
    link = lab.gateway.data_dir / "gnmicli"
    link.symlink_to(lab.gateway.binary)
    command = lab.gnmicli.command(lab.gateway.bearer, SEED_QUERY)
    _streams(lab, [link, *command[2:]])


def test_gnmicli_once(lab):
    found = lab.gnmicli.once(lab.gateway.bearer, Subscribe((SEED_QUERY,)))
    checks.all_measured(lab.gateway, found)


def test_gnmicli_seed_path_with_and_without_first_element(lab):
    checks.seed_paths(lab.gnmicli)


def test_gnmicli_metadata_predicate(lab):
    checks.labelled(lab.gnmicli)


def test_gnmicli_count_ends_it(lab):
    done = run(lab.gnmicli.command(lab.gateway.bearer, SEED_QUERY, "--count", "3"))
    expect(done.code == 0 and len(done.out.splitlines()) == 3, f"--count 3 printed {done.text!r}")


def test_gnmicli_target(lab):
    writer = lab.gnmic if not lab.gnmic.missing() else lab.pygnmi
    data = checks.Published(lab.gnmicli, writer)
    found = lab.gnmicli.once(lab.gateway.bearer, Subscribe(("/interop",), target=data.target))
    checks.equal(checks.values(found, data.still), [100], "value of the target")


def test_gnmicli_person_with_a_password(lab):
    checks.accepts(lab.gnmicli, lab.gateway.person, lab.gateway.create_person())


def test_gnmicli_wrong_pat(lab):
    checks.refuses(lab.gnmicli, lab.gateway.wrong())


def test_gnmicli_expired_pat(lab):
    checks.refuses(lab.gnmicli, lab.gateway.expired())


def test_gnmicli_revoked_pat(lab):
    checks.refuses(lab.gnmicli, lab.gateway.revoked())


def test_gnmicli_wrong_password(lab):
    checks.refuses_wrong_password(lab.gnmicli)


def test_gnmicli_revocation_ends_the_stream_within_a_second(lab):
    checks.revocation_ends_stream(lab.gnmicli)
