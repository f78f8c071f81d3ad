"""RESTCONF, as curl talks to it, other people's validators read it, and a killed process leaves it."""

import json
import shutil
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from driver.checks import equal, expect
from driver.clients.base import ROOT
from driver.clients.restconf import curl
from driver.gateway import Gateway
from driver.process import Failed, run

YANG = ROOT / "proto" / "yang"
YANGSON = ROOT / ".venv-yang" / "bin" / "yangson"
# Entries by collection, in an order in which they can be made: what both validators are to accept, and what both are to
# refuse, as the gateway does.
CORPUS = json.loads((ROOT / "tests" / "interop" / "corpus" / "restconf.json").read_text())
# Endpoints with a session each that one request makes while the process may be killed.
PAIRS = 10
# Requests, of which half must be acknowledged before that.
EDITS = 1000
WRITERS = 4


def missing():
    absent = [tool for tool in ("curl", "yanglint") if not shutil.which(tool)]
    if absent:
        return f"{' and '.join(absent)} not installed"
    return "" if YANGSON.is_file() else "yangson is not installed"


def _make(gateway, part, entry):
    path = f"/restconf/data/{part['container']}"
    return curl(gateway, path, body={part["container"].split(":")[0] + ":" + part["list"]: [entry]})


def _fill(gateway):
    """The good corpus; the bad is refused."""
    for part in CORPUS:
        for entry in part["good"]:
            status, text = _make(gateway, part, entry)
            expect(status in (201, 409), f"{entry}: {status} {text}")
    for part in CORPUS:
        for entry in part["bad"]:
            status, text = _make(gateway, part, entry)
            expect(400 <= status < 500, f"{entry}: {status} {text}")


def _bad(data):
    """The document with one bad entry more, for each of them."""
    for part in CORPUS:
        for entry in part["bad"]:
            document = json.loads(json.dumps(data))
            document[part["container"]][part["list"]].append(entry)
            yield entry, document


def _data(gateway, query=""):
    status, text = curl(gateway, "/restconf/data" + query)
    equal(status, 200, text)
    return json.loads(text)["ietf-restconf:data"]


def _yanglint(folder, data, kind):
    file = folder / "yanglint.json"
    file.write_text(json.dumps(data))
    modules = sorted((YANG / "accedian").glob("*.yang"))
    if kind == "data":
        modules += [YANG / "ietf" / f"{name}.yang" for name in (
            "ietf-datastores", "ietf-restconf-monitoring", "ietf-yang-library")]
    done = run(["yanglint", "-p", YANG / "ietf", "-p", YANG / "accedian", "-t", kind, *modules, file], 60)
    return done.code == 0 and "err" not in done.text, done.text


def _yangson(folder, library, data, kind):
    """Against the modules that the gateway itself hands out."""
    file = folder / "yangson.json"
    file.write_text(json.dumps(data))
    done = run([YANGSON, "-p", folder / "yang", "-c", kind, "-v", file, library], 60)
    return done.code == 0, done.text


def test_restconf_data_satisfies_yanglint(lab):
    _fill(lab.gateway)
    data = _data(lab.gateway, "?content=config")
    good, text = _yanglint(lab.gateway.data_dir, data, "config")
    expect(good, text)
    # With the state: a running session's, too.
    status, text = curl(lab.gateway, "/restconf/data/Accedian-session:sessions/session=t/start", "--request", "POST")
    equal(status, 204, text)
    good, text = _yanglint(lab.gateway.data_dir, _data(lab.gateway), "data")
    expect(good, text)
    for entry, document in _bad(data):
        good, text = _yanglint(lab.gateway.data_dir, document, "config")
        expect(not good, f"yanglint accepts {entry}")


def test_restconf_data_satisfies_yangson(lab):
    _fill(lab.gateway)
    data = _data(lab.gateway, "?content=config")
    status, text = curl(lab.gateway, "/restconf/data/ietf-yang-library:modules-state")
    equal(status, 200, text)
    library = lab.gateway.data_dir / "library.json"
    library.write_text(text)
    (lab.gateway.data_dir / "yang").mkdir(exist_ok=True)
    for module in json.loads(text)["ietf-yang-library:modules-state"]["module"]:
        file = module["schema"].rsplit("/", 1)[1]
        status, text = curl(lab.gateway, f"/restconf/yang/{file}")
        equal(status, 200, file)
        (lab.gateway.data_dir / "yang" / file).write_text(text)
    good, text = _yangson(lab.gateway.data_dir, library, data, "config")
    expect(good, text)
    good, text = _yangson(lab.gateway.data_dir, library, _data(lab.gateway), "all")
    expect(good, text)
    for entry, document in _bad(data):
        good, text = _yangson(lab.gateway.data_dir, library, document, "config")
        expect(not good, f"yangson accepts {entry}")


def test_restconf_acknowledged_edits_survive_kill_9(lab):
    first = Gateway(lab.gateway.binary)
    first.start()
    acknowledged, stop = set(), threading.Event()

    def write(worker):
        for number in range(EDITS // WRITERS):
            if stop.is_set():
                return
            names = [f"k{worker}-{number}-{entry}" for entry in range(PAIRS)]
            try:
                # Endpoints and sessions that refer to them, or none.
                body = {"ietf-restconf:data": {
                    "Accedian-service-endpoint:service-endpoints": {
                        "service-endpoint": [{"endpoint-id": name} for name in names]},
                    "Accedian-session:sessions": {"session": [{
                        "session-id": name, "session-type": "Accedian-session-type:echo",
                        "service-endpoints": [{"endpoint-id": name}]} for name in names]},
                }}
                status, _ = curl(first, "/restconf/data", "--request", "PATCH", body=body)
            except (Failed, ValueError):
                return
            if status == 204:
                acknowledged.add(f"k{worker}-{number}")

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, worker) for worker in range(WRITERS)]
        first.process.wait_until(lambda: len(acknowledged) >= EDITS // 2, 90, "acknowledged edits")
        first.process.kill()
        stop.set()
        for writer in writers:
            writer.result()
    again = Gateway(lab.gateway.binary)
    again.data_dir = first.data_dir
    (again.data_dir / "demo.json").unlink()
    again.start()
    try:
        data = _data(again, "?content=config")
        endpoints = data["Accedian-service-endpoint:service-endpoints"]["service-endpoint"]
        sessions = data["Accedian-session:sessions"]["session"]
        parts = Counter(entry["endpoint-id"].rsplit("-", 1)[0] for entry in endpoints)
        parts += Counter(entry["session-id"].rsplit("-", 1)[0] for entry in sessions)
        edits = {edit: count for edit, count in parts.items() if edit.startswith("k")}
        equal(acknowledged - edits.keys(), set(), "acknowledged edits that are lost")
        halves = {edit: count for edit, count in edits.items() if count != 2 * PAIRS}
        equal(halves, {}, "edits that are there by half")
    finally:
        again.stop()
