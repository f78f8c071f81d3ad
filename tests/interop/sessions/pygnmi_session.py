"""Runs in pygnmi's own environment: does one job with the library and prints a line of JSON for each answer."""

import json
import logging
import sys
import time

import grpc
from google.protobuf.json_format import MessageToDict
from pygnmi.client import gNMIclient, gNMIException


def say(**what):
    print(json.dumps({**what, "at": time.time()}), flush=True)


def say_refused(error):
    """Prints the status behind an exception of the library or of gRPC; raises what has none."""
    cause = error
    while not isinstance(cause, grpc.RpcError):
        cause = getattr(cause, "orig_exc", None) or cause.__cause__
        if cause is None:
            raise error
    code = "".join(word.capitalize() for word in cause.code().name.split("_"))
    trailers = {str(key): str(value) for key, value in cause.trailing_metadata() or ()}
    say(refused=[code, cause.details()], trailers=trailers)


def subscribe(session, job):
    subscription = session.subscribe2(**job["named"])
    mode = job["named"]["subscribe"]["mode"]
    rounds = job.get("rounds", 0)
    while mode != "poll" or rounds > 0:
        rounds -= 1
        try:
            answer = subscription.get_update(timeout=0.2 if mode != "poll" else 10)
        except TimeoutError:
            if subscription.error is not None:
                raise subscription.error
            if mode == "poll":
                raise
            if mode == "once" and not subscription._subscribe_thread.is_alive():
                break
            continue
        say(answer=answer)
        if mode == "once" and "sync_response" in answer:
            break
    subscription.close()


def subscribe_raw(session, job):
    for message in session.subscribe(subscribe=job["named"]["subscribe"]):
        say(answer=MessageToDict(message))


def main():
    job = json.load(sys.stdin)
    logging.getLogger("pygnmi").setLevel(logging.CRITICAL + 1)
    host, port = job["address"].rsplit(":", 1)
    # With path_cert alone the file is what the connection trusts; path_root counts only together with a client key.
    options = {"path_cert": job["ca"], **job["auth"], **job.get("connect", {})}
    with gNMIclient(target=(host, int(port)), **{key: value for key, value in options.items() if value}) as session:
        if job["do"] == "capabilities":
            say(answer=session.capabilities())
        elif job["do"] == "get":
            say(answer=session.get(**job["named"]))
        elif job["do"] == "set":
            say(answer=session.set(**{**job["named"], **_tuples(job["named"])}))
        elif job["do"] == "subscribe":
            subscribe(session, job)
        else:
            subscribe_raw(session, job)


def _tuples(named):
    return {name: [tuple(pair) for pair in named[name]] for name in ("update", "replace")}


if __name__ == "__main__":
    try:
        main()
    except (grpc.RpcError, gNMIException) as failure:
        say_refused(failure)
