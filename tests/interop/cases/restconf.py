"""RESTCONF, as curl talks to it, other people's validators read it, and a killed process leaves it."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

from driver.checks import equal, expect
from driver.clients.base import ROOT
from driver.clients.restconf import curl
from driver.gateway import Gateway
from driver.process import Failed, run

YANG = ROOT / "proto" / "yang"
YANGSON = ROOT / ".venv-yang" / "bin" / "yangson"
ENDPOINTS = "/restconf/data/Accedian-service-endpoint:service-endpoints"
SESSIONS = "/restconf/data/Accedian-session:sessions"
# What both validators are to accept, and what both are to refuse, as the gateway does.
GOOD = [
    {"session-id": "s", "session-type": "Accedian-session-type:twamp-light", "service-endpoints": [
        {"endpoint-id": "a", "session-protocol": {"Accedian-session-twamp-light:twamp-light": {
            "session-sender": {"admin-state": True, "sender-udp-port": "autoallocate", "report-interval": 60}}}}]},
    {"session-id": "t", "session-type": "Accedian-session-type:echo", "session-name": "t-name", "group-id": "g",
     "metadata": {"topology": ["x", "y"]}},
]
# Endpoints with a session each that one request makes while the process may be killed.
PAIRS = 10
BAD = [
    {"session-id": "-", "session-type": "Accedian-session-type:echo"},
    {"session-id": "u"},
    {"session-id": "u", "session-type": "Accedian-session-type:nothing"},
    {"session-id": "u", "session-type": "Accedian-session-type:echo", "service-endpoints": [{"endpoint-id": "nobody"}]},
    {"session-id": "u", "session-type": "Accedian-session-type:echo", "session-name": "t-name"},
    {"session-id": "u", "session-type": "Accedian-session-type:echo", "service-endpoints": [
        {"endpoint-id": "a", "session-protocol": {"Accedian-session-twamp-light:twamp-light": {
            "session-sender": {"admin-state": True}}}}]},
    {"session-id": "u", "session-type": "Accedian-session-type:echo", "metadata": {"topology": [""]}},
]


def missing():
    absent = [tool for tool in ("curl", "yanglint") if not shutil.which(tool)]
    if absent:
        return f"{' and '.join(absent)} not installed"
    return "" if YANGSON.is_file() else "yangson is not installed"


def _sessions(entries):
    return {"Accedian-session:session": entries}


def _fill(gateway):
    """The good corpus, with the endpoint that it refers to; the bad is refused."""
    status, text = curl(gateway, ENDPOINTS, body={"Accedian-service-endpoint:service-endpoint": [{"endpoint-id": "a"}]})
    expect(status in (201, 409), text)
    for entry in GOOD:
        status, text = curl(gateway, SESSIONS, body=_sessions([entry]))
        expect(status in (201, 409), text)
    for entry in BAD:
        status, text = curl(gateway, SESSIONS, body=_sessions([entry]))
        expect(400 <= status < 500, f"{entry}: {status} {text}")


def _data(gateway, query=""):
    status, text = curl(gateway, "/restconf/data" + query)
    equal(status, 200, text)
    return json.loads(text)["ietf-restconf:data"]


def _with(data, entry):
    data = json.loads(json.dumps(data))
    data["Accedian-session:sessions"]["session"].append(entry)
    return data


def _yanglint(folder, data, kind):
    file = folder / "yanglint.json"
    file.write_text(json.dumps(data))
    modules = sorted((YANG / "accedian").glob("*.yang"))
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
    for entry in BAD:
        good, text = _yanglint(lab.gateway.data_dir, _with(data, entry), "config")
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
    for entry in BAD:
        good, text = _yangson(lab.gateway.data_dir, library, _with(data, entry), "config")
        expect(not good, f"yangson accepts {entry}")


def test_restconf_acknowledged_edits_survive_kill_9(lab):
    first = Gateway(lab.gateway.binary)
    first.start()
    acknowledged, stop = set(), threading.Event()

    def write(worker):
        for number in range(1000):
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
                acknowledged.update(names)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, worker) for worker in range(4)]
        first.process.wait_until(lambda: len(acknowledged) >= 1000, 90, "acknowledged edits")
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
        endpoints = {entry["endpoint-id"] for entry in endpoints}
        sessions = {entry["session-id"] for entry in data["Accedian-session:sessions"]["session"]}
        equal(acknowledged - endpoints, set(), "acknowledged edits that are lost")
        equal(endpoints, sessions, "edits that are there by half")
    finally:
        again.stop()
