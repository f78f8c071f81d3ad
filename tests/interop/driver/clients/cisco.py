"""cisco-gnmi, in its own virtual environment: sessions/cisco_session.py is what talks to the gateway."""

from ..events import Sync, notification_events, response_events
from ..gateway import Bearer, Password
from ..process import Failed
from .base import NS, Stream
from .pygnmi import Session, ending, printed


class Cisco(Session):
    name = "cisco-gnmi"
    script = "cisco_session.py"
    venv = ".venv-cisco-gnmi"

    def job(self, credential, **job):
        if isinstance(credential, Bearer):
            # It has no way to send a bearer token: the token goes where a password would.
            credential = Password("token", credential.token)
        return super().job(credential, **job)

    def capabilities(self, credential):
        answer = self.call(credential, do="capabilities")[0]
        models = [model["name"] for model in answer.get("supportedModels", [])]
        return answer.get("gNMIVersion"), answer.get("supportedEncodings", []), models

    def get(self, credential, *paths, encoding="json", target="", kind="ALL"):
        if target:
            raise Failed("this client cannot give a target in Get")
        named = {"data_type": kind, "encoding": encoding.upper()}
        answer = self.call(credential, do="get", paths=paths, named=named)[0]
        return [notification_events(one) for one in answer.get("notification", [])]

    def set(self, credential, target, update=(), replace=(), delete=()):
        changes = {"update": list(update), "replace": list(replace), "delete": list(delete)}
        answer = self.call(credential, do="set", target=target, **changes)[0]
        return [result.get("op", "INVALID") for result in answer.get("response", [])]

    def _job(self, wanted, rounds=0):
        named = {"request_mode": wanted.mode.upper(), "sub_mode": wanted.stream_mode.upper()}
        named["encoding"] = wanted.encoding.upper()
        named["sample_interval"] = int((wanted.sample or 10) * NS)
        entry = {"suppress_redundant": wanted.suppress, "heartbeat_interval": int(wanted.heartbeat * NS)}
        job = {"do": "subscribe", "paths": wanted.paths, "named": named, "entry": entry, "rounds": rounds}
        return {**job, "target": wanted.target, "os": dict(wanted.options).get("os")}

    def once(self, credential, wanted):
        answers = self.call(credential, **self._job(wanted.of(mode="once")))
        return [event for answer in answers for event in response_events(answer)]

    def poll(self, credential, wanted, rounds):
        found = [[]]
        for answer in self.call(credential, **self._job(wanted.of(mode="poll"), rounds)):
            for event in response_events(answer):
                if event == Sync():
                    found.append([])
                else:
                    found[-1].append(event)
        return found[:-1]

    def stream(self, credential, wanted):
        found = lambda running: [
            event for line in printed(running.out) if "answer" in line for event in response_events(line["answer"])
        ]
        return Stream(self.start(credential, **self._job(wanted)), found, ending)
