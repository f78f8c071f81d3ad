"""What must hold for every client: each check looks at what the client received, not only at how it ended."""

import shutil
import time

from .clients.base import Subscribe
from .events import Delete, Sync, leaves
from .gateway import OBJECTS, Bearer, Password
from .process import Failed

ORIGIN_OBJECTS = f"accedian:{OBJECTS}"
MINUTE = 60 * 1_000_000_000
# Loopback: a packet that takes longer has been measured wrongly, or the unit is.
MAX_DELAY_US = 5_000_000


def expect(truth, message):
    if not truth:
        raise Failed(message)


def equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r} where {wanted!r} was expected")


def needs(missing):
    """Marks a case that needs more than its module: `missing` tells what is not installed, or nothing."""

    def mark(case):
        case.missing = missing
        return case

    return mark


def program(name, package):
    """Tells when a program is not installed."""
    return lambda: "" if shutil.which(name) else f"{name} is not installed (Debian's package {package})"


# What was measured.


def number(value):
    """A decimal64, which RFC 7951 writes as a string."""
    return float(value)


def metrics(events, object_path):
    """The metric leaves of one object: name to its leaves, in the order in which they came."""
    stem, found = f"{object_path}/metrics/", {}
    for leaf in leaves(events):
        if leaf.path.startswith(stem):
            found.setdefault(leaf.path[len(stem) :], []).append(leaf)
    return found


def measured(events, object_path):
    """Real delays of one object: in order, positive, plausible, and fresh."""
    found = metrics(events, object_path)
    missing = {"delay-min", "delay-avg", "delay-max", "packets-received"} - set(found)
    expect(not missing, f"{object_path} has no {sorted(missing)}; it has {sorted(found)}")
    # The three belong together only within one report.
    reports = [{leaf.timestamp: leaf for leaf in found[f"delay-{name}"]} for name in ("min", "avg", "max")]
    shared = set.intersection(*map(set, reports))
    expect(shared, f"no report has all three delays: {[sorted(report) for report in reports]}")
    low, middle, high = (number(report[max(shared)].value) for report in reports)
    expect(0 < low <= middle <= high < MAX_DELAY_US, f"delays {low} <= {middle} <= {high} are not measured ones")
    expect(number(found["packets-received"][-1].value) > 0, "no packets received")
    age = time.time_ns() - max(shared)
    expect(-MINUTE < age < 2 * MINUTE, f"the report is {age / 1e9:.1f} s old")
    return [leaf for same in found.values() for leaf in same]


def all_measured(gateway, events):
    """Real delays of every object that the gateway has."""
    for one in gateway.monitored_objects():
        measured(events, one.path)


# Capabilities, Get, Set.


def capabilities(client):
    version, encodings, models = client.capabilities(client.gateway.bearer)
    equal(version, "0.10.0", "gNMI version")
    equal([encoding.upper() for encoding in encodings], ["JSON", "JSON_IETF", "PROTO"], "encodings")
    expect("accedian-session" in models, f"no model accedian-session among {models}")


def get_measured(client, encoding, **named):
    """One object's metrics, and every object's, in one encoding."""
    gateway = client.gateway
    one = gateway.monitored_objects()[0]
    answers = client.get(gateway.bearer, f"accedian:{one.path}/metrics", encoding=encoding, **named)
    equal(len(answers), 1, "notifications for one path")
    found = measured(answers[0], one.path)
    forms = {leaf.form for leaf in found} - {""}
    wanted = {"json": {"jsonVal"}, "json_ietf": {"jsonIetfVal"}, "proto": {"doubleVal", "intVal", "uintVal"}}
    expect(forms <= wanted[encoding], f"{encoding} came as {forms}")
    if forms and encoding == "json_ietf":
        texts = [leaf.value for leaf in found if leaf.path.endswith("/delay-avg")]
        expect(all(isinstance(text, str) for text in texts), "RFC 7951 writes decimal64 as a string")
    everything = client.get(gateway.bearer, ORIGIN_OBJECTS, encoding=encoding, **named)
    all_measured(gateway, [event for answer in everything for event in answer])


def set_and_get(client, get=None):
    """update, replace and delete of free-form data, each read back."""
    gateway, target = client.gateway, client.gateway.fresh("target")
    reader = get or client
    values = lambda: {
        leaf.path: leaf.value
        for answer in reader.get(gateway.bearer, "/interop", target=target)
        for leaf in leaves(answer)
    }
    update = [("/interop/name", "one"), ("/interop/count", 7)]
    equal(client.set(gateway.bearer, target, update=update), ["UPDATE", "UPDATE"], "operations confirmed")
    equal(values(), {"/interop/name": "one", "/interop/count": 7}, "after update")
    both = client.set(gateway.bearer, target, replace=[("/interop/name", "two")], delete=["/interop/count"])
    equal(sorted(both), ["DELETE", "REPLACE"], "operations confirmed")
    equal(values(), {"/interop/name": "two"}, "after replace and delete")
    equal(client.set(gateway.bearer, target, delete=["/interop"]), ["DELETE"], "operations confirmed")
    equal(reader.refusal("get", gateway.bearer, "/interop", target=target), "NotFound", "Get of what is deleted")
    update = [("/interop/name", "x")]
    equal(client.refusal("set", gateway.reader(), target, update=update), "PermissionDenied", "Set by a reader")


# Subscribe.


def everything(**named):
    """A subscription to all measured objects."""
    return Subscribe((ORIGIN_OBJECTS,), **named)


def once(client, encoding="json"):
    found = client.once(client.gateway.bearer, everything(encoding=encoding))
    all_measured(client.gateway, found)
    return found


def once_with_sync(client, encoding="json"):
    found = once(client, encoding)
    expect(found.count(Sync()) == 1 and found[-1] == Sync(), "sync_response comes once, and last")


def poll(client, rounds=3):
    """Every poll is answered with everything, and none hangs."""
    answers = client.poll(client.gateway.bearer, everything(), rounds)
    equal(len(answers), rounds, "polls answered")
    for answer in answers:
        all_measured(client.gateway, answer)


def stream_measured(client, stream_mode, **named):
    """Values go on coming as the gateway measures: later times and other values for the same leaf."""
    one = client.gateway.monitored_objects()[0]
    path = f"{one.path}/metrics/delay-avg"
    with client.stream(client.gateway.bearer, everything(stream_mode=stream_mode, **named)) as stream:

        def changed(events):
            same = [leaf for leaf in leaves(events) if leaf.path == path]
            return len({leaf.timestamp for leaf in same}) >= 3 and len({leaf.value for leaf in same}) >= 2

        stream.wait(changed, 30, f"three reports of {path}")
        all_measured(client.gateway, stream.events())


class Published:
    """Free-form data under a target of its own, written by the cases, so that they know what must come."""

    def __init__(self, client, writer):
        self.gateway = client.gateway
        self.writer = writer
        self.target = self.gateway.fresh("stream")
        self.value = "/interop/value"
        self.still = "/interop/still"
        self.write((self.value, 1), (self.still, 100))

    def write(self, *pairs):
        self.writer.set(self.gateway.bearer, self.target, update=pairs)

    def delete(self, path):
        self.writer.set(self.gateway.bearer, self.target, delete=[path])

    def subscribe(self, stream_mode, **named):
        return Subscribe(("/interop",), stream_mode=stream_mode, target=self.target, **named)


def values(events, path):
    return [leaf.value for leaf in leaves(events) if leaf.path == path]


def on_change(client, writer):
    """Initial values, then changes and deletes and nothing else; an equal rewrite is no change."""
    data = Published(client, writer)
    with client.stream(data.gateway.bearer, data.subscribe("on_change")) as stream:
        stream.wait_value(data.value, 1)
        stream.wait_value(data.still, 100)
        for new in (2, 2, 3):
            data.write((data.value, new))
        stream.wait_value(data.value, 3)
        data.delete(data.value)
        gone = lambda events: [event for event in events if isinstance(event, Delete)]
        path = stream.wait(gone, 10, "the delete")[0].path
        expect(data.value == path or data.value.startswith(path.rstrip("/") + "/"), f"deleted {path}")
        equal(sorted(values(stream.events(), data.value)), [1, 2, 3], "values of the changing leaf")
        equal(values(stream.events(), data.still), [100], "values of the leaf that never changed")


def heartbeat(client, writer):
    """ON_CHANGE with a heartbeat repeats an unchanged leaf with its collection time."""
    data = Published(client, writer)
    with client.stream(data.gateway.bearer, data.subscribe("on_change", heartbeat=1)) as stream:
        repeated = lambda events: len(values(events, data.still)) >= 3
        stream.wait(repeated, 10, "two heartbeats")
        times = {leaf.timestamp for leaf in leaves(stream.events()) if leaf.path == data.still}
        equal(len(times), 1, "collection times of a leaf that never changed")


def sample(client, writer):
    """SAMPLE repeats every leaf once per interval, changed or not."""
    data = Published(client, writer)
    with client.stream(data.gateway.bearer, data.subscribe("sample", sample=1)) as stream:
        stream.wait_value(data.still, 100)
        started = time.monotonic()
        repeated = lambda events: len(values(events, data.still)) >= 4
        stream.wait(repeated, 10, "three samples")
        took = time.monotonic() - started
        expect(1.5 < took < 6, f"three samples of one second took {took:.1f} s")
        data.write((data.value, 2))
        stream.wait_value(data.value, 2, 3)


def sample_suppressed(client, writer):
    """SAMPLE with suppress_redundant keeps an unchanged leaf back; a heartbeat sends it all the same."""
    data = Published(client, writer)
    with client.stream(data.gateway.bearer, data.subscribe("sample", sample=1, suppress=True)) as stream:
        stream.wait_value(data.still, 100)
        for new in (2, 3):
            data.write((data.value, new))
            stream.wait_value(data.value, new, 4)
        equal(values(stream.events(), data.still), [100], "values of the leaf that never changed")
    wanted = data.subscribe("sample", sample=1, suppress=True, heartbeat=2)
    with client.stream(data.gateway.bearer, wanted) as stream:
        repeated = lambda events: len(values(events, data.still)) >= 2
        stream.wait(repeated, 8, "a heartbeat of a suppressed sample")


def updates_only(client, writer):
    """No initial values: the sync mark, then changes."""
    data = Published(client, writer)
    with client.stream(data.gateway.bearer, data.subscribe("on_change", updates_only=True)) as stream:
        stream.wait_sync()
        data.write((data.value, 2))
        stream.wait_value(data.value, 2)
        equal(values(stream.events(), data.value), [2], "values of the changing leaf")
        equal(values(stream.events(), data.still), [], "values of the leaf that never changed")


def encodings(client, writer):
    """Each encoding answers in its own field; those not offered are refused."""
    data = Published(client, writer)
    for encoding, forms in (("json", {"jsonVal"}), ("json_ietf", {"jsonIetfVal"}), ("proto", {"intVal", "uintVal"})):
        found = client.once(data.gateway.bearer, data.subscribe("on_change", encoding=encoding))
        told = {leaf.form for leaf in leaves(found)} - {""}
        expect(told <= forms, f"{encoding} came as {told}")
        equal({path: [int(value) for value in values(found, path)] for path in (data.value, data.still)},
              {data.value: [1], data.still: [100]}, f"values in {encoding}")
    for encoding in ("ascii", "bytes"):
        wanted = data.subscribe("on_change", encoding=encoding)
        equal(client.refusal("once", data.gateway.bearer, wanted), "Unimplemented", encoding)


def targets(client, writer):
    """The target is repeated exactly when one was asked for; `*` answers with names; an unknown one is not found."""
    data = Published(client, writer)
    gateway = data.gateway
    told = lambda events: {leaf.target for leaf in leaves(events)}
    equal(told(client.once(gateway.bearer, data.subscribe("on_change"))), {data.target}, "target asked for")
    equal(told(client.once(gateway.bearer, everything())), {""}, "no target asked for")
    star = client.once(gateway.bearer, Subscribe(("/interop",), target="*"))
    expect(data.target in told(star) and "*" not in told(star), f"targets of *: {told(star)}")
    unknown = Subscribe(("/interop",), target="interop-nowhere")
    equal(client.refusal("once", gateway.bearer, unknown), "NotFound", "unknown target")


def seed_paths(client, *paths):
    """The vendor's path and its other spellings are one place."""
    paths = paths or (f"/accedian:session{OBJECTS}/...", f"{OBJECTS}/...", f"{OBJECTS}", ORIGIN_OBJECTS)
    found = {}
    for path in paths:
        events = client.once(client.gateway.bearer, Subscribe((path,)))
        all_measured(client.gateway, events)
        found[path] = {leaf.path for leaf in leaves(events)}
    first, *others = found.items()
    for path, leaf_paths in others:
        equal(leaf_paths, first[1], f"leaves of {path}")


def labelled(client, label="usage", value="europe-east"):
    """A metadata predicate selects exactly the objects that carry the label."""
    gateway = client.gateway
    objects = gateway.monitored_objects()
    wanted = {one.path for one in objects if one.labels.get(label) == value}
    expect(wanted and len(wanted) < len(objects), f"the demo has no object without {label}={value}, or none with it")
    predicate = f"{ORIGIN_OBJECTS}/monitored-object[meta/data/name/{label}={value}]"
    found = {leaf.path for leaf in leaves(client.once(gateway.bearer, Subscribe((predicate,))))}
    equal({one.path for one in objects if any(path.startswith(one.path + "/") for path in found)}, wanted, predicate)
    expect(all(any(path.startswith(one + "/") for one in wanted) for path in found), f"strange leaves in {found}")


# Credentials.


def accepts(client, *credentials):
    """Each credential opens a stream of measured values."""
    for credential in credentials:
        all_measured(client.gateway, client.once(credential, everything()))


def accepts_person_and_pat(client):
    """A person's password, and a token where a password belongs, whatever user name comes with it or `token`."""
    gateway = client.gateway
    accepts(client, gateway.create_person(), Password("token", gateway.bearer.token))


def refuses(client, credential, *calls):
    """A bad credential is UNAUTHENTICATED, whatever was asked."""
    arguments = {
        "capabilities": (),
        "get": (ORIGIN_OBJECTS,),
        "set": ("interop-refused", [("/interop/name", "x")]),
        "once": (everything(),),
    }
    for call in calls or ("once",):
        equal(client.refusal(call, credential, *arguments[call]), "Unauthenticated", call)


def refuses_wrong_password(client, *calls):
    refuses(client, Password(client.gateway.create_person().username, "not the password"), *calls)


def revocation_ends_stream(client, within=1.0):
    """Revoking a token ends its open stream within a second, and nothing comes after that."""
    gateway = client.gateway
    pat = gateway.create_pat(gateway.create_account())
    one = gateway.monitored_objects()[0].path
    with client.stream(Bearer(pat.token), everything(stream_mode="on_change")) as stream:
        stream.wait(lambda events: metrics(events, one), 10, "first values")
        gateway.revoke_pat(pat)
        revoked = time.time()
        code, at = stream.wait_ending(5)
        equal(code, "Unauthenticated", "status of the stream")
        expect(at - revoked <= within, f"it ended {at - revoked:.2f} s after the token was revoked")
        before = len(stream.events())
        time.sleep(1.5)
        equal(len(stream.events()), before, "messages after the end")


def expiry_ends_stream(client, within=1.0):
    """A token that expires ends its open stream at its time, and within a second of it."""
    gateway = client.gateway
    created = time.time()
    pat = gateway.create_pat(gateway.create_account(), ttl="4s")
    # Expiries count whole seconds.
    expect(-1 <= pat.expires - (created + 4) <= 1, f"created at {created:.2f} for 4 s, it expires at {pat.expires}")
    with client.stream(Bearer(pat.token), everything(stream_mode="on_change")) as stream:
        stream.wait(lambda events: leaves(events), pat.expires - time.time(), "first values")
        code, at = stream.wait_ending(8)
        equal(code, "Unauthenticated", "status of the stream")
        late = at - pat.expires
        expect(0 <= late <= within, f"the stream ended {late:.2f} s after its token expired")
