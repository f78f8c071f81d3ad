"""pygnmi, in its own virtual environment: sessions/pygnmi_session.py is what talks to the gateway."""

import json

from ..events import Delete, Leaf, Sync, flattened, notification_events
from ..gateway import Bearer
from ..process import Failed, Running, run
from .base import NS, ROOT, SESSIONS, Client, Refused, Stream


class Session(Client):
    """A Python client behind a script that reads a job and prints a line of JSON for each thing that happens."""

    script = ""
    venv = ""

    @classmethod
    def python(cls):
        return ROOT / cls.venv / "bin" / "python"

    @classmethod
    def missing(cls):
        return "" if cls.python().is_file() else f"{cls.name} is not installed"

    def job(self, credential, **job):
        """The job as the script reads it."""
        auth = {"token": credential.token} if isinstance(credential, Bearer) else vars(credential)
        return json.dumps({"address": self.gateway.address, "ca": str(self.gateway.ca), "auth": auth, **job})

    def start(self, credential, **job):
        return Running([self.python(), "-u", SESSIONS / self.script], stdin=self.job(credential, **job))

    def call(self, credential, deadline=25, **job):
        """What the script printed for one job."""
        command = [self.python(), "-u", SESSIONS / self.script]
        done = run(command, deadline, stdin=self.job(credential, **job))
        lines = printed(done.out)
        for line in lines:
            if "refused" in line:
                raise Refused(*line["refused"])
        if done.code != 0:
            raise Failed(f"{self.name}: {done.text[-1500:]}")
        return [line["answer"] for line in lines if "answer" in line]


def printed(text):
    """The whole lines of JSON in a script's output; libraries print other lines too."""
    found = []
    for line in text.splitlines():
        if line.startswith('{"'):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return found


def ending(running):
    """The status with which a session's stream ended, and when."""
    for line in printed(running.out):
        if "refused" in line:
            return line["refused"][0], line["at"]
    return None


class Pygnmi(Session):
    name = "pygnmi"
    script = "pygnmi_session.py"
    venv = ".venv-pygnmi"

    def capabilities(self, credential, **connect):
        answer = self.call(credential, do="capabilities", connect=connect)[0]
        encodings = [encoding.upper() for encoding in answer.get("supported_encodings", [])]
        return answer.get("gnmi_version"), encodings, [model["name"] for model in answer.get("supported_models", [])]

    def get(self, credential, *paths, encoding="json", target="", kind="ALL", **connect):
        named = {"path": paths, "encoding": encoding, "target": target or None, "datatype": kind.lower()}
        answer = self.call(credential, do="get", named=named, connect=connect)[0]
        return [_notification(one) for one in answer.get("notification", [])]

    def set(self, credential, target, update=(), replace=(), delete=()):
        # It puts a string into json_val as it stands, so a JSON string needs its quotes.
        pairs = lambda changes: [(path, json.dumps(value)) for path, value in changes]
        named = {"target": target, "update": pairs(update), "replace": pairs(replace), "delete": list(delete)}
        answer = self.call(credential, do="set", named=named)[0]
        return [result.get("op", "INVALID") for result in answer.get("response", [])]

    def _named(self, wanted):
        entry = {"mode": wanted.stream_mode, "suppress_redundant": wanted.suppress}
        entry["sample_interval"] = int(wanted.sample * NS)
        entry["heartbeat_interval"] = int(wanted.heartbeat * NS)
        request = {"mode": wanted.mode, "encoding": wanted.encoding, "updates_only": wanted.updates_only}
        request["subscription"] = [{"path": path, **entry} for path in wanted.paths]
        request["subscription"] += [dict(option) for option in wanted.options]
        return {"subscribe": request, "target": wanted.target or None}

    def once(self, credential, wanted):
        return _events(self.call(credential, do="subscribe", named=self._named(wanted.of(mode="once"))))

    def poll(self, credential, wanted, rounds):
        named = self._named(wanted.of(mode="poll"))
        answers = self.call(credential, do="subscribe", rounds=rounds, named=named)
        return [[event for event in _events([answer]) if event != Sync()] for answer in answers]

    def stream(self, credential, wanted, **connect):
        running = self.start(credential, do="subscribe", named=self._named(wanted), connect=connect)
        found = lambda running: _events([line["answer"] for line in printed(running.out) if "answer" in line])
        return Stream(running, found, ending)

    def raw_once(self, credential, wanted):
        """Through the library's low-level call, which hands on the messages as they came."""
        answers = self.call(credential, do="subscribe_raw", named=self._named(wanted.of(mode="once")))
        return [event for answer in answers for event in _raw(answer)]


def _raw(answer):
    if answer.get("syncResponse"):
        return [Sync()]
    return notification_events(answer["update"])


def _join(*parts):
    return "/" + "/".join(part.strip("/") for part in parts if part and part != "/")


def _notification(answer):
    at, prefix, found = answer.get("timestamp", 0), answer.get("prefix"), []
    for gone in answer.get("delete", []):
        found.append(Delete(_join(prefix, gone["path"]), at))
    for update in answer.get("update", []):
        for path, value in flattened(_join(prefix, update["path"]), update.get("val")):
            found.append(Leaf(path, value, at))
    return found


def _events(answers):
    found = []
    for answer in answers:
        found += _notification(answer["update"]) if "update" in answer else []
        found += [Sync()] if answer.get("sync_response") else []
    return found
