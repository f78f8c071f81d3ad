"""Starts a gateway of its own, and makes the accounts that the cases use."""

import calendar
import itertools
import json
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .process import Failed, Running, run, tail

READY_SECONDS = 60
FIRST_VALUES_SECONDS = 30
ADMIN_SECONDS = 20

OBJECTS = "/object-type/twamp-sf/monitored-objects"
"""Where the measurements lie, with no origin."""
SEED_QUERY = "/accedian:session/object-type/twamp-sf/monitored-objects/..."
"""The path of the vendor's example."""


@dataclass(frozen=True)
class Bearer:
    """A token that goes as `authorization: Bearer`."""

    token: str


@dataclass(frozen=True)
class Password:
    """A user name and a password in the metadata of the call."""

    username: str
    password: str


@dataclass(frozen=True)
class Pat:
    """A token, the id by which it is revoked, and when it expires, in seconds since the epoch."""

    id: str
    token: str
    expires: int


@dataclass(frozen=True)
class MonitoredObject:
    """One measured object, as found in the gateway."""

    path: str
    labels: dict


class Gateway:
    """`tollgate demo` on free ports with a data directory that is thrown away."""

    def __init__(self, binary):
        self.binary = Path(binary)
        self.data_dir = Path(tempfile.mkdtemp(prefix="tollgate-interop-"))
        self.process = None
        self.facts = {}
        self._numbers = itertools.count(1)

    def start(self):
        """Starts it and waits until it is ready and has measured something."""
        usage = run([self.binary, "demo", "--help"]).text
        ports = [name for name in ("--gateway", "--iam", "--admin") if re.search(rf"{name}\b", usage)]
        command = [self.binary, "demo", "--data-dir", self.data_dir]
        command += [word for name in ports for word in (name, "127.0.0.1:0")]
        self.process = Running(command)
        facts = self.process.wait_until(self._read_facts, READY_SECONDS, "demo.json")
        self.facts = facts
        self.process.wait_until(self._is_ready, READY_SECONDS, "readyz")
        self.process.wait_until(self._has_measured, FIRST_VALUES_SECONDS, "first measured values")

    def stop(self):
        if self.process:
            self.process.end()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def _read_facts(self):
        try:
            return json.loads((self.data_dir / "demo.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.facts['admin']}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _has_measured(self):
        try:
            return bool(self.monitored_objects())
        except Failed:
            return False

    @property
    def address(self):
        return self.facts["gateway"]

    @property
    def host(self):
        return self.address.rsplit(":", 1)[0].strip("[]")

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    @property
    def ca(self):
        return Path(self.facts["ca_file"])

    @property
    def tenant(self):
        return self.facts["tenant"]

    @property
    def bearer(self):
        """The demo's own token; it may read and write in the demo's tenant."""
        return Bearer(self.facts["token"])

    @property
    def person(self):
        """The demo's administrator."""
        return Password(self.facts["admin_username"], self.facts["admin_password"])

    def fresh(self, stem):
        """A name that no other case uses."""
        return f"interop-{stem}-{next(self._numbers)}"

    # The values that a client saw are compared with those that the gateway's own small client prints.
    def lines(self, query, credential=None, target=""):
        """The lines of `tollgate gnmicli --mode once`: time, path, value."""
        token = (credential or self.bearer).token
        command = [self.binary, "gnmicli", "--addr", self.address, "--ca", self.ca, "--mode", "once"]
        command += ["--query", query, "--auth", "token", "--authToken", f"Bearer {token}"]
        done = run([*command, *(["--target", target] if target else [])])
        if done.code != 0:
            raise Failed(f"gnmicli --mode once ended with {done.code}: {tail(done.text)}")
        return done.out.splitlines()

    def monitored_objects(self):
        """The measured objects and their metadata labels."""
        labels = {}
        for line in self.lines(SEED_QUERY):
            match = re.search(r"(/object-type/[^\[\s]*/monitored-object(?:\[[^\]]*\])+)(\S*) (.*)$", line)
            if not match:
                continue
            entry = labels.setdefault(match[1], {})
            label = re.fullmatch(r"/meta/data\[name=([^\]]*)\]/val", match[2])
            if label:
                entry[label[1]] = match[3].strip('"')
        measured = any("/metrics/delay-avg " in line for line in self.lines(SEED_QUERY))
        return [MonitoredObject(path, found) for path, found in sorted(labels.items())] if measured else []

    def admin(self, *words, stdin=None, deadline=ADMIN_SECONDS):
        """`tollgate admin ... --json`: what it printed, decoded."""
        done = run([self.binary, "admin", "--data-dir", self.data_dir, "--json", *words], deadline, stdin=stdin)
        if done.code != 0:
            raise Failed(f"tollgate admin {' '.join(words[:2])} ended with {done.code}: {tail(done.text)}")
        return json.loads(done.out) if done.out.strip() else {}

    def create_tenant(self, name):
        self.admin("tenant", "create", name)

    def create_person(self, role="tenant-user"):
        """A person with a password."""
        person = Password(self.fresh("person"), "correct horse " + os.urandom(8).hex())
        words = ("user", "create", "--tenant", self.tenant, "--username", person.username)
        self.admin(*words, "--role", role, "--password-file", "-", stdin=person.password + "\n")
        return person

    def create_account(self, role="tenant-user", tenant=None):
        """A service account; its user name."""
        name = self.fresh("account")
        words = ("service-account", "create", "--tenant", tenant or self.tenant, "--username", name)
        self.admin(*words, "--name", name, "--role", role)
        return name

    def create_pat(self, account, ttl="1h", tenant=None):
        """A PAT of a service account."""
        words = ("pat", "create", "--tenant", tenant or self.tenant, "--account", account)
        made = self.admin(*words, "--ttl", ttl, "--name", self.fresh("pat"))
        expires = calendar.timegm(time.strptime(made["expires"], "%Y-%m-%dT%H:%M:%SZ"))
        return Pat(str(made["id"]), made["token"], expires)

    def revoke_pat(self, pat):
        self.admin("pat", "revoke", "--tenant", self.tenant, pat.id)

    def reader(self):
        """A token that may read and not write."""
        return Bearer(self.create_pat(self.create_account("tenant-user")).token)

    def revoked(self):
        """A token that is revoked."""
        pat = self.create_pat(self.create_account())
        self.revoke_pat(pat)
        return Bearer(pat.token)

    def expired(self):
        """A token that has expired."""
        pat = self.create_pat(self.create_account(), ttl="1s")
        time.sleep(1.2)
        return Bearer(pat.token)

    def wrong(self):
        """A token of the right form that was never issued: one character differs, and so its checksum does not fit."""
        token = self.facts["token"]
        middle = len(token) // 2
        return Bearer(token[:middle] + ("x" if token[middle] != "x" else "y") + token[middle + 1 :])

