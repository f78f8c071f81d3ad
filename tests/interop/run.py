#!/usr/bin/env python3
"""Starts a gateway, drives other people's clients against it, and says what held.

    tests/interop/run.py [--binary PATH] [--require] [-k WORD] [--list]

A client that is not installed is skipped by name; with --require that is a failure, unless there is no Go to build it
with. install.sh installs them.
"""

import argparse
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from driver.clients import ALL  # noqa: E402
from driver.clients.base import NO_GO  # noqa: E402
from driver.gateway import Gateway  # noqa: E402
from driver.process import Failed, end_all, tail  # noqa: E402

MODULES = (
    "gnmic", "gnmi_cli", "pygnmi", "cisco_gnmi", "gnmicli", "tls", "enroll", "mtls", "descriptors", "openapi", "demo", "yang",
    "restconf", "one_tree", "schemathesis", "readme",
)
# The slowest case takes a third of this.
CASE_SECONDS = 120
# All of them together take a sixth of this on two busy cores.
RUN_SECONDS = 1500


class Lab:
    """What a case gets: the gateway, and the clients by name."""

    def __init__(self, gateway):
        self.gateway = gateway
        for client in ALL:
            setattr(self, client.__module__.rsplit(".", 1)[1], client(gateway))


def cases(word):
    """The functions named test_..., module by module, with what each lacks: what its module needs, or itself besides."""
    for name in MODULES:
        module = importlib.import_module(f"cases.{name}")
        for title, function in vars(module).items():
            if title.startswith("test_") and callable(function) and word in title:
                yield title, function, module.missing() or getattr(function, "missing", str)()


def binary():
    """The newest build of the gateway."""
    built = [HERE.parents[1] / "target" / kind / "tollgate" for kind in ("debug", "release")]
    built = sorted((path for path in built if path.is_file()), key=lambda path: path.stat().st_mtime)
    if not built:
        sys.exit("there is no target/debug/tollgate and no target/release/tollgate: run cargo build first")
    return built[-1]


def attempt(function, lab):
    """Runs one case under its deadline; what went wrong, or nothing."""
    outcome = []

    def body():
        try:
            function(lab)
            outcome.append("")
        except Failed as failure:
            outcome.append(str(failure))
        except Exception:  # noqa: BLE001 - a case that breaks is a case that fails
            outcome.append(traceback.format_exc())

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(CASE_SECONDS)
    return outcome[0] if outcome else f"did not end within {CASE_SECONDS} s"


def run_all(lab, chosen, require):
    passed, failed, skipped = 0, [], 0
    end = time.monotonic() + RUN_SECONDS
    for title, function, missing in chosen:
        started = time.monotonic()
        if missing and (not require or missing.endswith(NO_GO)):
            skipped += 1
            print(f"skip {title}: {missing}", flush=True)
            continue
        if missing:
            problem = missing
        elif started > end:
            problem = f"the run took more than {RUN_SECONDS} s"
        else:
            problem = attempt(function, lab)
        took = f"{time.monotonic() - started:.1f} s"
        if not problem:
            passed += 1
            print(f"ok   {title} ({took})", flush=True)
            continue
        failed.append(title)
        print(f"FAIL {title} ({took})", flush=True)
        print("     " + tail(problem, 3000).replace("\n", "\n     "), flush=True)
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, help="the gateway to test; default: the newest of target/")
    parser.add_argument("--require", action="store_true", help="a client that is not installed is a failure")
    parser.add_argument("-k", dest="word", default="", help="only cases with this in their name")
    parser.add_argument("--list", action="store_true", help="names the cases and does nothing")
    options = parser.parse_args()
    chosen = list(cases(options.word))
    if options.list:
        print("\n".join(title for title, _, _ in chosen))
        return 0
    gateway = Gateway((options.binary or binary()).resolve())
    try:
        print(f"gateway: {gateway.binary}", flush=True)
        gateway.start()
        passed, failed, skipped = run_all(Lab(gateway), chosen, options.require)
    except Failed as failure:
        print(f"FAIL the gateway does not start: {failure}", flush=True)
        passed, failed, skipped = 0, ["start"], 0
    finally:
        if gateway.process and gateway.process.ended():
            print(f"the gateway ended during the run:\n{tail(gateway.process.text, 4000)}", flush=True)
        gateway.stop()
        end_all()
    if failed:
        print("failed: " + " ".join(failed))
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed or not passed else 0


def interrupted(number, _frame):
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, interrupted)
    os.environ.pop("GNMI_USER", None)
    os.environ.pop("GNMI_PASS", None)
    code = main()
    sys.stdout.flush()
    # A case that outlived its deadline may still hold a thread.
    os._exit(code)
