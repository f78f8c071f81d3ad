"""`tollgate gnmicli`: the small client with the flags of the vendor's example."""

import calendar
import re
import time

from ..events import Delete, Leaf
from ..gateway import Bearer
from ..process import Running, run
from .base import Client, Refused, Stream


class Gnmicli(Client):
    name = "gnmicli"

    def command(self, credential, query, *words):
        command = [self.gateway.binary, "gnmicli", "--addr", self.gateway.address, "--query", query]
        if isinstance(credential, Bearer):
            return [*command, "--auth", "token", "--authToken", f"Bearer {credential.token}", *words]
        file = self.gateway.data_dir / "interop-password"
        file.write_text(credential.password + "\n")
        return [*command, "--auth", "password", "--username", credential.username, "--password-file", file, *words]

    def _subscribe(self, credential, wanted):
        words = ["--mode", wanted.mode, "--ca", self.gateway.ca]
        words += ["--target", wanted.target] if wanted.target else []
        return self.command(credential, wanted.paths[0], *words)

    def once(self, credential, wanted):
        done = run(self._subscribe(credential, wanted.of(mode="once")))
        if done.code != 0:
            self.code_of(done.text)
        return printed_values(done.out)

    def stream(self, credential, wanted):
        running = Running(self._subscribe(credential, wanted.of(mode="stream")))
        return Stream(running, lambda running: printed_values(running.out), _ending)

    def code_of(self, text):
        match = re.search(r"\b([A-Z]\w+): (.*)", text)
        raise Refused(match[1] if match else "none", text)


def printed_values(text):
    found = []
    for line in text.splitlines():
        match = re.match(r"(\S+) (?:(\w+):)?(/.*?(?:\[[^\]]*\][^\[]*?)*) (\S.*)$", line)
        if match and match[4] == "(deleted)":
            found.append(Delete(match[3]))
        elif match:
            found.append(Leaf(match[3], _value(match[4]), _nanoseconds(match[1]), origin=match[2] or ""))
    return found


def _value(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text.strip('"')


def _nanoseconds(text):
    """RFC 3339 in UTC, with up to nine digits after the point."""
    match = re.match(r"(\d+-\d+-\d+T\d+:\d+:\d+)(?:\.(\d+))?", text)
    if not match:
        return 0
    seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))


def _ending(running):
    for at, line in running.lines():
        match = re.search(r"\b(Unauthenticated|Unavailable|PermissionDenied|Cancelled|ResourceExhausted)\b", line)
        if match:
            return match[1], at
    return None
