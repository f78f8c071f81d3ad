"""Runs in cisco-gnmi's own environment: does one job with the library and prints a line of JSON for each answer."""

import json
import re
import sys
import time

import grpc
from cisco_gnmi import ClientBuilder, proto
from google.protobuf.json_format import MessageToDict

pb = proto.gnmi_pb2


def say(**what):
    print(json.dumps({**what, "at": time.time()}), flush=True)


def path(session, text):
    """Through the library where it can read the path; it cannot read wildcards, nor a slash in a key."""
    origin, rest = re.match(r"(?:([\w-]+):(?=/))?(.*)", text).groups()
    if re.search(r"[*]|\.\.\.|\[[^\]]*/", text):
        found = pb.Path(origin=origin or "")
        for name, keys in re.findall(r"/([^/\[]+)((?:\[[^\]]*\])*)", rest):
            found.elem.add(name=name, key=dict(re.findall(r"\[([^=\]]+)=([^\]]*)\]", keys)))
        return found
    return session.parse_xpath_to_gnmi_path(re.sub(r"=([^\]]*)\]", r"='\1']", rest), origin)


def update(session, text, value):
    return pb.Update(path=path(session, text), val=pb.TypedValue(json_val=json.dumps(value).encode()))


def subscribe(session, job):
    named = dict(job["named"])
    if job["target"]:
        named["prefix"] = pb.Path(target=job["target"])
    entries = [{"path": path(session, text), **job["entry"]} for text in job["paths"]]
    if named["request_mode"] == "POLL":
        return poll(session, named, entries, job["rounds"])
    for message in session.subscribe_xpaths(entries, **named):
        say(answer=MessageToDict(message))


def poll(session, named, entries, rounds):
    """The library's convenience call cannot poll; its plain one takes the requests one by one."""
    asked = pb.SubscriptionList(mode="POLL", encoding=named["encoding"], prefix=named.get("prefix"))
    for entry in entries:
        asked.subscription.add(path=entry["path"])
    answered = []

    def requests():
        yield asked
        for number in range(1, rounds):
            while len(answered) < number:
                time.sleep(0.02)
            yield pb.Poll()
        while len(answered) < rounds:
            time.sleep(0.02)

    for message in session.subscribe(requests()):
        say(answer=MessageToDict(message))
        if message.sync_response:
            answered.append(True)


def main():
    job = json.load(sys.stdin)
    builder = ClientBuilder(job["address"]).set_os(job.get("os")).set_secure_from_file(job["ca"])
    session = builder.set_call_authentication(job["auth"]["username"], job["auth"]["password"]).construct()
    if job["do"] == "capabilities":
        say(answer=MessageToDict(session.capabilities()))
    elif job["do"] == "get":
        answer = session.get([path(session, text) for text in job["paths"]], **job["named"])
        say(answer=MessageToDict(answer))
    elif job["do"] == "set":
        changes = {f"{name}s": [update(session, *pair) for pair in job[name]] for name in ("update", "replace")}
        changes["deletes"] = [path(session, text) for text in job["delete"]]
        say(answer=MessageToDict(session.set(prefix=pb.Path(target=job["target"]), **changes)))
    else:
        subscribe(session, job)


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as failure:
        words = failure.code().name.split("_")
        say(refused=["".join(word.capitalize() for word in words), failure.details()])
