#!/usr/bin/env python3
"""Drives Tollgate and the reference server, openconfig/gnmi's collector, with the same load, in turn, and prints the
ratios of their medians.

The collector takes its data from a gateway of its own, which the load generator writes to; Tollgate is written to
directly. Everything is on loopback, and the two cores of a small machine are shared by all of it.

    benches/peer/run.py [--runs 5] [--seconds 15] [--only WORDS] [--tollgate target/release/tollgate]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLLECTOR = ROOT / ".tools/bin/gnmi_collector"
TARGET = "peer"
READY_SECONDS = 30
# 1,000 ON_CHANGE subscriptions over 20 connections, 100 leaves: what each scenario adds.
READERS = ["--connections", "20", "--subscriptions", "1000", "--leaves", "100"]
SCENARIOS = {
    "50 updates/s for each of 1,000 subscriptions": ["--rate", "50"],
    "2,000 updates/s offered to each of 1,000 subscriptions": ["--rate", "2000"],
    "10,000 updates/s offered to each of 1,000 subscriptions": ["--rate", "10000"],
}


def build_collector():
    """Builds the collector as go.mod and go.sum pin it. False where Go is missing."""
    if not shutil.which("go"):
        return False
    COLLECTOR.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", COLLECTOR, "."], cwd=HERE, env=environment, check=True)
    return True


class Gateway:
    """A gateway with one token, on a free port."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.token_file = folder / "token"
        self.admin("tenant", "create", "load")
        self.admin("service-account", "create", "--tenant", "load", "--username", "load", "--role", "tenant-admin")
        pat = self.admin("--json", "pat", "create", "--tenant", "load", "--account", "load", "--ttl", "1d")
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(re.search(r'"(tgpat_\w+)"', pat).group(1))
        settings = ["gateway.listen=127.0.0.1:0", "gateway.iam_listen=127.0.0.1:0", "admin.listen=127.0.0.1:0",
                    "gateway.drain_grace=0s", f"store.data_dir={folder}"]
        sets = [part for setting in settings for part in ("--set", setting)]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "serve", *sets], stdout=log, stderr=log)
        self.address = self.listening()
        # A target exists while it has data: one leaf, written once a second, keeps it.
        self.keeper = subprocess.Popen(
            [binary, "load", "--addr", self.address, "--skip-verify", "--token-file", self.token_file,
             "--target", TARGET, "--subscriptions", "0", "--connections", "0", "--leaves", "1", "--rate", "1",
             "--duration", "24h", "--json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def admin(self, *arguments):
        command = [self.binary, "admin", "--data-dir", self.folder, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def listening(self):
        for _ in range(READY_SECONDS * 10):
            found = re.search(r"gateway.*address=(127\.0\.0\.1:\d+)", self.log.read_text())
            if found:
                return found.group(1)
            time.sleep(0.1)
        sys.exit(self.log.read_text())


class Collector:
    """The reference server, fed by a gateway."""

    def __init__(self, source, folder):
        key, certificate = folder / "peer.key", folder / "peer.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", "/CN=peer", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        self.process = subprocess.Popen(
            [COLLECTOR, "-source", source.address, "-target", TARGET, "-token_file", source.token_file,
             "-cert_file", certificate, "-key_file", key],
            stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            sys.exit("the collector does not listen")


def load(binary, token_file, server, seconds, arguments, publish_to=None):
    """One run; its report."""
    where = ["--addr", server.address, "--pid", str(server.process.pid), "--skip-verify", "--target", TARGET]
    if publish_to:
        where += ["--publish-addr", publish_to.address]
    command = [binary, "load", *where, "--token-file", token_file, *READERS, *arguments,
               "--duration", f"{seconds}s", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


FIGURES = {
    "deliveries/s": (lambda report: report["delivery_rate"], True),
    "delay p50, ms": (lambda report: report["latency"]["p50"] * 1e3, False),
    "delay p99, ms": (lambda report: report["latency"]["p99"] * 1e3, False),
    "ingest/s": (lambda report: report["ingest_rate"], True),
    "processor per delivery, us": (lambda report: report["server_nanos_per_delivery"] / 1e3, False),
    "memory with all streams, MB": (lambda report: report["server_bytes_idle"] / 1e6, False),
}


def compare(title, ours, theirs):
    print(f"\n{title} (medians of {len(ours)} runs each)")
    print(f"{'':30}{'tollgate':>14}{'collector':>14}{'ratio':>10}")
    for name, (read, more_is_better) in FIGURES.items():
        one, other = (statistics.median(read(report) for report in reports) for reports in (ours, theirs))
        ratio = one / other if more_is_better else other / one
        print(f"{name:30}{one:14.1f}{other:14.1f}{ratio:9.1f}x")
    for name, reports in (("tollgate", ours), ("collector", theirs)):
        lost = sum(report["lost_leaves"] + report["missing"] for report in reports)
        errors = sum(sum(report["errors"].values()) for report in reports)
        coalesced = sum(report["coalesced"] for report in reports)
        print(f"{name}: {lost} values lost, {errors} errors, {coalesced} coalesced", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="scenarios whose title has this in it")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--tollgate", default=str(ROOT / "target/release/tollgate"))
    options = parser.parse_args()
    if not build_collector():
        print("left out: Go is not installed, so the reference server cannot be built")
        return
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            places = [Path(folder, name) for name in ("ours", "source", "peer")]
            for place in places:
                place.mkdir(mode=0o700)
            gateway = Gateway(options.tollgate, places[0])
            started += [gateway.keeper, gateway.process]
            source = Gateway(options.tollgate, places[1])
            started += [source.keeper, source.process]
            collector = Collector(source, places[2])
            started.insert(0, collector.process)
            for title, arguments in SCENARIOS.items():
                if options.only not in title:
                    continue
                ours, theirs = [], []
                for _ in range(options.runs):
                    ours.append(load(options.tollgate, gateway.token_file, gateway, options.seconds, arguments))
                    theirs.append(load(options.tollgate, source.token_file, collector, options.seconds, arguments,
                                       publish_to=source))
                compare(title, ours, theirs)
        finally:
            for process in started:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
