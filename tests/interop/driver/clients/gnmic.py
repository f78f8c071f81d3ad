"""gnmic: the client that operators use."""

import json
import re
import time

from ..events import Sync, json_objects, notification_events, response_events
from ..gateway import Bearer
from ..process import Failed, Running, run
from .base import Stream, Tool

_ENTER = b"\r"
_SYNCED = "received sync response"


class Gnmic(Tool):
    name = "gnmic"
    binary = "gnmic"

    def _command(self, credential, *words, options=()):
        command = [self.path(), "-a", self.gateway.address, "--tls-ca", self.gateway.ca, "--log", *options]
        if isinstance(credential, Bearer):
            command += ["--token", credential.token]
        else:
            command += ["-u", credential.username, "-p", credential.password]
        return [*command, *words]

    def _run(self, *arguments, **named):
        done = run(self._command(*arguments, **named))
        if done.code != 0:
            self.code_of(done.text)
        return done

    def capabilities(self, credential, options=()):
        """Version, encodings and model names."""
        done = self._run(credential, "capabilities", options=options)
        version = re.search(r"gNMI version: (\S+)", done.out)
        encodings = re.search(r"supported encodings:\n((?:\s+- \S+\n?)+)", done.out)
        if not version or not encodings:
            raise Failed(f"not an answer to Capabilities: {done.text}")
        models = re.findall(r"^\s+- (\S+?),", done.out, re.M)
        return version[1], re.findall(r"- (\S+)", encodings[1]), models

    def get(self, credential, *paths, encoding="json", target="", kind="ALL", options=()):
        words = ["get", "--type", kind]
        words += [word for path in paths for word in ("--path", path)]
        words += ["--target", target] if target else []
        done = self._run(credential, *words, options=["--format", "protojson", "-e", encoding, *options])
        answers = [answer for answer in json_objects(done.out) if "notification" in answer]
        return [notification_events(one) for answer in answers for one in answer["notification"]]

    def set(self, credential, target, update=(), replace=(), delete=(), options=()):
        """The operations that the gateway confirms."""
        words = ["set", *(["--target", target] if target else [])]
        for flag, pairs in (("--update", update), ("--replace", replace)):
            for path, value in pairs:
                kind = "string" if isinstance(value, str) else "int"
                if isinstance(value, dict):
                    kind, value = "json_ietf", json.dumps(value)
                words += [flag, f"{path}:::{kind}:::{value}"]
        words += [word for path in delete for word in ("--delete", path)]
        done = self._run(credential, *words, options=["--format", "protojson", *options])
        answers = [answer for answer in json_objects(done.out) if "response" in answer]
        return [result.get("op", "INVALID") for answer in answers for result in answer["response"]]

    def _subscribe(self, credential, wanted):
        words = ["subscribe", "--mode", wanted.mode]
        words += [word for path in wanted.paths for word in ("--path", path)]
        words += ["--target", wanted.target] if wanted.target else []
        if wanted.mode == "stream":
            words += ["--stream-mode", wanted.stream_mode.replace("_", "-")]
            words += ["--sample-interval", f"{wanted.sample:g}s"] if wanted.sample else []
            words += ["--heartbeat-interval", f"{wanted.heartbeat:g}s"] if wanted.heartbeat else []
            words += ["--suppress-redundant"] if wanted.suppress else []
        words += ["--updates-only"] if wanted.updates_only else []
        options = ["--format", "protojson", "-e", wanted.encoding, *wanted.options]
        return self._command(credential, *words, options=options)

    def once(self, credential, wanted):
        done = run(self._subscribe(credential, wanted.of(mode="once")))
        found = _events(done.out)
        # It ends with 0 also when the call was refused.
        if not found and "code = " in done.text:
            self.code_of(done.text)
        # Of the sync mark it tells only in its log, when all values are out.
        return found + [Sync()] * done.err.count(_SYNCED)

    def poll(self, credential, wanted, rounds):
        """The answers to the subscription and to each poll, one list each. It asks at a terminal what to poll."""
        running = Running(self._subscribe(credential, wanted.of(mode="poll")), terminal=True)
        with running:
            for answered in range(rounds):
                if answered:
                    self._ask(running, "select target to poll")
                    self._ask(running, "select subscription to poll")
                synced = lambda: running.out.count(_SYNCED) > answered
                running.wait_until(synced, 15, f"answer {answered + 1} to a poll")
            answers = running.out.split(_SYNCED)[:rounds]
        return [[event for event in _events(answer) if event != Sync()] for answer in answers]

    @staticmethod
    def _ask(running, menu):
        """Takes the one entry of a menu. A key that comes before the menu reads keys stops it for good."""
        running.wait_until(lambda: running.since_send().count(menu), 10, menu)
        time.sleep(1)
        running.send(_ENTER)

    def stream(self, credential, wanted):
        return Stream(Running(self._subscribe(credential, wanted)), lambda running: _events(running.out), _ending)


def _events(text):
    return [event for answer in json_objects(text) for event in response_events(answer)]


def _ending(running):
    """It goes on and tries again; the first error in its log is how the stream ended."""
    for at, line in running.lines():
        match = re.search(r"rcv error: .*code = (\w+)", line)
        if match:
            return match[1], at
    return None


