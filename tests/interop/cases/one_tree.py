"""One tree: gnmic and curl on the same configuration."""

import json
import shutil

from driver.checks import equal, expect
from driver.clients import Gnmic
from driver.clients.base import Subscribe
from driver.clients.restconf import curl
from driver.events import Delete, leaves

ENDPOINTS = "/restconf/data/Accedian-service-endpoint:service-endpoints"
TREE = "rfc7951:/service-endpoints"


def missing():
    return Gnmic.missing() or ("" if shutil.which("curl") else "curl is not installed")


def _entry(name):
    return f"{TREE}/service-endpoint[endpoint-id={name}]"


def _path(name, leaf=""):
    return f"/service-endpoints/service-endpoint[endpoint-id={name}]" + (f"/{leaf}" if leaf else "")


def test_gnmic_sets_what_restconf_reads(lab):
    gateway, name = lab.gateway, lab.gateway.fresh("one")
    # The flag of gnmic takes a comma for the next operation.
    entry = {"group-id": "g"}
    done = lab.gnmic.set(gateway.bearer, "", replace=[(_entry(name), entry)])
    equal(done, ["REPLACE"], "operations confirmed")
    update = [(f"{_entry(name)}/description", "set leaf by leaf")]
    equal(lab.gnmic.set(gateway.bearer, "", update=update), ["UPDATE"], "operations confirmed")
    status, text = curl(gateway, f"{ENDPOINTS}/service-endpoint={name}")
    equal(status, 200, text)
    found = json.loads(text)["Accedian-service-endpoint:service-endpoint"][0]
    equal(found, {"endpoint-id": name, **entry, "description": "set leaf by leaf"}, "what RESTCONF has")
    bad = [(f"{_entry(name)}/group-id", "no blanks")]
    equal(lab.gnmic.refusal("set", gateway.bearer, "", update=bad), "InvalidArgument", "Set of a bad value")
    unknown = [(f"{_entry(name)}/no-such-leaf", "x")]
    equal(lab.gnmic.refusal("set", gateway.bearer, "", update=unknown), "NotFound", "Set of no node")
    equal(lab.gnmic.set(gateway.bearer, "", delete=[_entry(name)]), ["DELETE"], "operations confirmed")
    equal(curl(gateway, f"{ENDPOINTS}/service-endpoint={name}")[0], 404, "status of what is deleted")


def test_gnmic_gets_what_restconf_wrote(lab):
    gateway, name = lab.gateway, lab.gateway.fresh("one")
    body = {"Accedian-service-endpoint:service-endpoint": [{"endpoint-id": name, "description": "put"}]}
    equal(curl(gateway, ENDPOINTS, body=body)[0], 201, "status of the POST")
    for encoding in ("json", "json_ietf", "proto"):
        answers = lab.gnmic.get(gateway.bearer, f"{_entry(name)}/description", encoding=encoding)
        found = {leaf.path: leaf.value for answer in answers for leaf in leaves(answer)}
        equal(found, {_path(name, "description"): "put"}, f"Get in {encoding}")
    nothing = lab.gnmic.refusal("get", gateway.bearer, _entry("nobody"))
    equal(nothing, "NotFound", "Get of nothing")


def test_gnmic_subscriber_is_told_of_restconf_edits(lab):
    gateway, name = lab.gateway, lab.gateway.fresh("one")
    wanted = Subscribe(paths=(TREE,), stream_mode="on_change")
    url = f"{ENDPOINTS}/service-endpoint={name}"
    with lab.gnmic.stream(gateway.bearer, wanted) as stream:
        for words in ("first", "second"):
            entry = {"endpoint-id": name, "description": words}
            status, text = curl(gateway, url, "--request", "PUT",
                                 body={"Accedian-service-endpoint:service-endpoint": [entry]})
            expect(status in (201, 204), text)
            stream.wait_value(_path(name, "description"), words)
        equal(curl(gateway, url, "--request", "DELETE")[0], 204, "status of the DELETE")
        gone = lambda events: [one for one in events if isinstance(one, Delete) and one.path == _path(name)]
        stream.wait(gone, 10, "the delete")
