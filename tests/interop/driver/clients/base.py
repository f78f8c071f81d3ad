"""What a client offers to the checks."""

import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..events import Sync, leaves
from ..process import Failed

ROOT = Path(__file__).resolve().parents[4]
SESSIONS = Path(__file__).resolve().parents[2] / "sessions"

NS = 1_000_000_000
NO_GO = ", nor is Go to build it with"
"""Ends the reason of what may be missing also where every client is required."""


class Refused(Exception):
    """The gateway answered with a status other than OK."""

    def __init__(self, code, message=""):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Subscribe:
    """What to subscribe to, and how. Intervals are in seconds."""

    paths: tuple
    mode: str = "stream"
    stream_mode: str = "target_defined"
    encoding: str = "json"
    target: str = ""
    sample: float = 0
    heartbeat: float = 0
    suppress: bool = False
    updates_only: bool = False
    options: tuple = field(default=())

    def of(self, **changes):
        return replace(self, **changes)


class Stream:
    """A subscription that goes on: what has come so far, and when and how it ended."""

    def __init__(self, running, events, ending):
        self.running = running
        self._events = events
        self._ending = ending

    def events(self):
        return self._events(self.running)

    def wait(self, found, deadline, what):
        """Waits until `found(events)` is true, and returns it."""
        return self.running.wait_until(lambda: found(self.events()), deadline, what)

    def wait_sync(self, deadline=10):
        self.wait(lambda events: Sync() in events, deadline, "sync_response")

    def wait_value(self, path, value, deadline=10):
        """Waits for a value at a path."""
        same = lambda events: [leaf for leaf in leaves(events) if leaf.path == path and leaf.value == value]
        return self.wait(same, deadline, f"{path} = {value!r}")[0]

    def wait_ending(self, deadline):
        """The status with which it ended and when that came, as `(code, time)`."""
        return self.running.wait_until(lambda: self._ending(self.running), deadline, "end of the stream")

    def end(self):
        self.running.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Client:
    """One client; a call that it cannot express is absent from it, and so are the cases about that call."""

    name = ""

    def __init__(self, gateway):
        self.gateway = gateway

    @classmethod
    def missing(cls):
        """Why it cannot be driven here, or nothing."""
        return ""

    def code_of(self, text):
        """The status code that a client's output names."""
        match = re.search(r"code = (\w+) desc = (.*)", text)
        if not match:
            raise Failed(f"{self.name} failed with no status code: {text[-800:]}")
        raise Refused(match[1], match[2])

    def refusal(self, call, *arguments, **named):
        """The code with which a call is refused."""
        try:
            answer = getattr(self, call)(*arguments, **named)
        except Refused as refused:
            return refused.code
        raise Failed(f"{self.name} {call} was not refused: {str(answer)[:300]}")


class Tool(Client):
    """A client that is a program in `.tools/bin`."""

    binary = ""

    @classmethod
    def missing(cls):
        if cls.path().is_file():
            return ""
        return f"{cls.binary} is not installed" + ("" if shutil.which("go") else NO_GO)

    @classmethod
    def path(cls):
        return ROOT / ".tools" / "bin" / cls.binary

