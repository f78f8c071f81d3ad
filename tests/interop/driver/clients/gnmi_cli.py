"""gnmi_cli: the reference client of the OpenConfig project. It has no way to send a bearer token."""

import json
import re

from ..events import notification_events, response_events, text_message
from ..gateway import Bearer
from ..process import Failed, Running, run
from .base import NS, Stream, Tool

_ENCODINGS = {"json": "JSON", "json_ietf": "JSON_IETF", "proto": "PROTO", "ascii": "ASCII", "bytes": "BYTES"}


class GnmiCli(Tool):
    name = "gnmi_cli"
    binary = "gnmi_cli"

    def _command(self, *words):
        return [self.path(), "-a", self.gateway.address, "-ca_crt", self.gateway.ca, "-with_user_pass", *words]

    @staticmethod
    def _env(credential):
        if isinstance(credential, Bearer):
            # The token goes where a password would.
            return {"GNMI_USER": "token", "GNMI_PASS": credential.token}
        return {"GNMI_USER": credential.username, "GNMI_PASS": credential.password}

    def _run(self, credential, *words, deadline=20):
        done = run(self._command(*words), deadline, env=self._env(credential))
        if done.code != 0:
            self.code_of(done.text)
        return done

    def capabilities(self, credential):
        answer = text_message(self._run(credential, "-capabilities").out)
        models = answer.get("supportedModels", [])
        models = models if isinstance(models, list) else [models]
        return answer.get("gNMIVersion"), answer.get("supportedEncodings", []), [model["name"] for model in models]

    def get(self, credential, *paths, encoding="json", target="", kind="ALL"):
        prefix = f"prefix: {{target: {json.dumps(target)}}} " if target else ""
        request = prefix + " ".join(f"path: {{{_path(path)}}}" for path in paths)
        request += f" type: {kind} encoding: {_ENCODINGS[encoding]}"
        answer = text_message(self._run(credential, "-get", "-proto", request).out)
        notifications = answer.get("notification", [])
        notifications = notifications if isinstance(notifications, list) else [notifications]
        return [notification_events(one, base64_bytes=False) for one in notifications]

    def set(self, credential, target, update=(), replace=(), delete=()):
        request = f"prefix: {{target: {json.dumps(target)}}}"
        for path in delete:
            request += f" delete: {{{_path(path)}}}"
        for operation, pairs in (("replace", replace), ("update", update)):
            for path, value in pairs:
                form = f"string_val: {json.dumps(value)}" if isinstance(value, str) else f"int_val: {value}"
                request += f" {operation}: {{path: {{{_path(path)}}} val: {{{form}}}}}"
        answer = text_message(self._run(credential, "-set", "-proto", request).out)
        results = answer.get("response", [])
        return [result.get("op", "INVALID") for result in (results if isinstance(results, list) else [results])]

    def _subscribe(self, wanted, *words):
        entries = ""
        for path in wanted.paths:
            entries += f" subscription: {{path: {{{_path(path)}}} mode: {wanted.stream_mode.upper()}"
            entries += f" sample_interval: {int(wanted.sample * NS)}" if wanted.sample else ""
            entries += f" heartbeat_interval: {int(wanted.heartbeat * NS)}" if wanted.heartbeat else ""
            entries += " suppress_redundant: true}" if wanted.suppress else "}"
        request = f"subscribe: {{prefix: {{target: {json.dumps(wanted.target)}}}{entries} mode: {wanted.mode.upper()}"
        request += f" encoding: {_ENCODINGS[wanted.encoding]}"
        request += " updates_only: true}" if wanted.updates_only else "}"
        return self._command("-dt", "sp", "-proto", request, *words)

    def once(self, credential, wanted):
        done = run(self._subscribe(wanted.of(mode="once")), env=self._env(credential))
        if done.code != 0:
            self.code_of(done.text)
        return _events(done.out)

    def poll(self, credential, wanted, rounds):
        """Each round as the text that it prints: in this mode it shows a tree of names and values."""
        words = ["-qt", "p", "-pi", "500ms", "-c", str(rounds)]
        words += [word for path in wanted.paths for word in ("-q", path)]
        words += ["-t", wanted.target] if wanted.target else []
        done = self._run(credential, *words)
        # One tree each: it starts with a brace at the margin and ends with one.
        return re.findall(r"^\{.*?^\}", done.out, re.M | re.S)

    def query(self, credential, query_type, *paths, target="", seconds=3):
        """The short form of the command line, as people type it; what it printed."""
        words = ["-qt", query_type, "-sd", f"{seconds}s"]
        words += [word for path in paths for word in ("-q", path)]
        words += ["-t", target] if target else []
        return run(self._command(*words), seconds + 15, env=self._env(credential)).text

    def stream(self, credential, wanted):
        running = Running(self._subscribe(wanted.of(mode="stream")), env=self._env(credential))
        return Stream(running, lambda running: _events(running.out), _ending)


def _path(text):
    """A path in its text form as fields of a Path message."""
    origin, found = re.match(r"(?:([\w-]+):(?=/))?", text)[1], []
    rest = text[len(origin) + 1 :] if origin else text
    for name, keys in re.findall(r"/([^/\[]+)((?:\[[^\]]*\])*)", rest):
        pairs = re.findall(r"\[([^=\]]+)=([^\]]*)\]", keys)
        entries = "".join(f" key: {{key: {json.dumps(key)} value: {json.dumps(value)}}}" for key, value in pairs)
        found.append(f"elem: {{name: {json.dumps(name)}{entries}}}")
    return (f"origin: {json.dumps(origin)} " if origin else "") + " ".join(found)


def _events(text):
    found = []
    for line in text.splitlines():
        if not line.startswith(("update", "sync_response")):
            continue
        try:
            found += response_events(text_message(line), base64_bytes=False)
        except (Failed, IndexError, KeyError):
            # The last line may still be on its way.
            continue
    return found


def _ending(running):
    for at, line in running.lines():
        match = re.search(r"code = (\w+)", line)
        if match:
            return match[1], at
    return None
