"""Runs commands under a deadline, keeps what they print, and ends them whatever happens."""

import os
import pty
import signal
import subprocess
import threading
import time
from dataclasses import dataclass


class Failed(Exception):
    """What a case expected did not happen."""


@dataclass
class Finished:
    """A command that has ended."""

    command: list
    code: int
    out: str
    err: str

    @property
    def text(self):
        """Everything it printed."""
        return self.out + self.err


_running = set()
_lock = threading.Lock()


def _start(command, env, **pipes):
    # A session of its own, so that ending the command ends its children too.
    process = subprocess.Popen(
        [str(part) for part in command], env={**os.environ, **(env or {})}, start_new_session=True, **pipes
    )
    with _lock:
        _running.add(process)
    return process


def _end(process, grace=3.0):
    """Ends a process and its children: asks first, then insists."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            pass
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            continue
        break
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    with _lock:
        _running.discard(process)


def end_all():
    """Ends everything that was started here and still runs."""
    with _lock:
        left = list(_running)
    for process in left:
        _end(process)


def shown(command):
    """The command as a reader may see it: tokens and passwords shortened."""
    return " ".join(part if len(part) < 60 else part[:40] + "..." for part in map(str, command))


def tail(text, size=1500):
    """The end of what a command printed."""
    return text if len(text) <= size else "..." + text[-size:]


def run(command, deadline=20.0, env=None, stdin=None):
    """Runs a command to its end; one that outlives its deadline has failed."""
    process = _start(
        command,
        env,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        out, err = process.communicate(stdin, timeout=deadline)
    except subprocess.TimeoutExpired:
        _end(process)
        out, err = process.communicate()
        raise Failed(f"did not end within {deadline:g} s: {shown(command)}\n{tail(out + err)}") from None
    finally:
        _end(process)
    return Finished(list(command), process.returncode, out, err)


class Running:
    """A command that goes on, and what it has printed so far."""

    def __init__(self, command, env=None, stdin=None, terminal=False):
        self.command = command
        self._changed = threading.Condition()
        self._text = {"out": "", "err": ""}
        self._lines = []
        self._master = None
        self._sent = 0
        if terminal:
            self._master, slave = pty.openpty()
            self._process = _start(command, env, stdin=slave, stdout=slave, stderr=slave)
            os.close(slave)
            sources = [("out", self._master)]
        else:
            self._process = _start(
                command,
                env,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            sources = [("out", self._process.stdout.fileno()), ("err", self._process.stderr.fileno())]
            if stdin is not None:
                self._process.stdin.write(stdin.encode())
                self._process.stdin.close()
        self._readers = [threading.Thread(target=self._read, args=source, daemon=True) for source in sources]
        for reader in self._readers:
            reader.start()

    def _read(self, name, descriptor):
        pending = b""
        while True:
            try:
                block = os.read(descriptor, 65536)
            except OSError:
                block = b""
            with self._changed:
                now = time.time()
                if not block:
                    if pending:
                        self._lines.append((now, pending.decode(errors="replace")))
                    self._changed.notify_all()
                    return
                self._text[name] += block.decode(errors="replace")
                *lines, pending = (pending + block).split(b"\n")
                self._lines.extend((now, line.decode(errors="replace")) for line in lines)
                self._changed.notify_all()

    @property
    def out(self):
        with self._changed:
            return self._text["out"]

    @property
    def err(self):
        with self._changed:
            return self._text["err"]

    @property
    def text(self):
        with self._changed:
            return self._text["out"] + self._text["err"]

    @property
    def pid(self):
        return self._process.pid

    def lines(self):
        """What it printed, line by line, each with the time at which it came."""
        with self._changed:
            return list(self._lines)

    def send(self, keys):
        """Types into the command's terminal."""
        with self._changed:
            self._sent = len(self._text["out"])
        os.write(self._master, keys)

    def since_send(self):
        """What it has printed since keys were last typed."""
        with self._changed:
            return self._text["out"][self._sent :]

    def ended(self):
        return self._process.poll() is not None

    def wait_until(self, found, deadline, what):
        """Waits until `found()` is true of what has been printed, and returns it."""
        end = time.monotonic() + deadline
        while True:
            result = found()
            if result:
                return result
            left = end - time.monotonic()
            over = self.ended() and not any(reader.is_alive() for reader in self._readers)
            if left <= 0 or over:
                result = found()
                if result:
                    return result
                how = "it ended first" if over else f"not within {deadline:g} s"
                raise Failed(f"{what}: {how}: {shown(self.command)}\n{tail(self.text)}")
            with self._changed:
                self._changed.wait(min(left, 0.1))

    def wait_end(self, deadline):
        """Waits for the command to end by itself."""
        try:
            code = self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise Failed(f"did not end within {deadline:g} s: {shown(self.command)}\n{tail(self.text)}") from None
        for reader in self._readers:
            reader.join(2)
        return code

    def kill(self):
        """Ends it without a word, as a power cut would."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def end(self):
        """Ends it."""
        _end(self._process)
        for reader in self._readers:
            reader.join(2)
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
