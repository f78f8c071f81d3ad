"""What clients print, in one form: leaves, deletes and the sync mark."""

import base64
import json
import re
from dataclasses import dataclass

from .process import Failed


@dataclass(frozen=True)
class Leaf:
    """One value at one path."""

    path: str
    value: object
    timestamp: int
    form: str = ""
    """The field of TypedValue that held it, as in jsonVal; empty where the client does not tell."""
    origin: str = ""
    target: str = ""


@dataclass(frozen=True)
class Delete:
    """One path that is gone."""

    path: str
    timestamp: int = 0


@dataclass(frozen=True)
class Sync:
    """The mark after the initial values."""


def json_objects(text):
    """The JSON objects in a text that may hold other lines too."""
    decoder = json.JSONDecoder()
    found, at = [], 0
    while True:
        at = text.find("{", at)
        if at < 0:
            return found
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            # Cut off in the middle, or no JSON at all.
            at += 1
            continue
        if isinstance(value, dict):
            found.append(value)


def _many(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def path_text(*paths):
    """gNMI Path messages, one behind the other, as text with sorted keys."""
    text = ""
    for path in paths:
        for elem in _many((path or {}).get("elem")):
            keys = elem.get("key", {})
            if not isinstance(keys, dict) or set(keys) == {"key", "value"}:
                keys = {entry["key"]: entry["value"] for entry in _many(keys)}
            text += "/" + elem.get("name", "") + "".join(f"[{name}={keys[name]}]" for name in sorted(keys))
    return text or "/"


def _value(typed, base64_bytes):
    if not typed:
        # A form of value that is younger than the client.
        return "unknown", None
    (form, raw), *_ = typed.items()
    if form in ("jsonVal", "jsonIetfVal"):
        return form, json.loads(base64.b64decode(raw) if base64_bytes else raw)
    if form in ("intVal", "uintVal"):
        return form, int(raw)
    if form in ("doubleVal", "floatVal"):
        return form, float(raw)
    return form, raw


def notification_events(notification, base64_bytes=True):
    """The events of one Notification, given as the JSON form of its message; JSON subtrees become leaves."""
    prefix = notification.get("prefix") or {}
    at = int(notification.get("timestamp", 0))
    found = [Delete(path_text(prefix, path), at) for path in _many(notification.get("delete"))]
    for update in _many(notification.get("update")):
        path = update.get("path") or {}
        form, value = _value(update.get("val"), base64_bytes)
        origin = prefix.get("origin") or path.get("origin") or ""
        for where, leaf in flattened(path_text(prefix, path), value):
            found.append(Leaf(where, leaf, at, form, origin, prefix.get("target", "")))
    return found


def response_events(response, base64_bytes=True):
    """The events of one SubscribeResponse, given as the JSON form of its message."""
    if response.get("syncResponse"):
        return [Sync()]
    if "update" in response:
        return notification_events(response["update"], base64_bytes)
    return []


# The keys of the lists of the gateway's own model, sorted: JSON does not tell them from other members.
LIST_KEYS = {
    "data": ("name",),
    "monitored-object": ("direction", "monitored-object-id", "monitored-object-name", "service-id"),
}


def _member(item, name):
    return next((value for member, value in item.items() if member.split(":")[-1] == name), "")


def flattened(path, value):
    """The leaves of a JSON value below a path. Names lose the module in front of them."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flattened(f"{path.rstrip('/')}/{name.split(':')[-1]}", member)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            keys = LIST_KEYS.get(path.rsplit("/", 1)[-1], ())
            entry = path + "".join(f"[{name}={_member(item, name)}]" for name in keys)
            members = {name: member for name, member in item.items() if name.split(":")[-1] not in keys}
            yield from flattened(entry, members)
    else:
        yield path, value


def leaves(events):
    return [event for event in events if isinstance(event, Leaf)]


_TOKEN = re.compile(r"""\s*(?:([A-Za-z_][\w.]*)|("(?:[^"\\]|\\.)*")|(-?[\d.]+(?:[eE][-+]?\d+)?)|([:{}<>\[\],;]))""")
_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", '"': b'"', "'": b"'", "\\": b"\\"}


def _unquoted(text):
    def escape(match):
        code = match.group(1)
        if code in _ESCAPES:
            return _ESCAPES[code].decode()
        return chr(int(code[1:], 16) if code[0] == "x" else int(code, 8))

    octets = re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", escape, text[1:-1])
    return octets.encode("latin-1", "replace").decode("utf-8", "replace")


def _camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def text_message(text):
    """A protobuf message in its text form, with the field names of its JSON form."""
    tokens = [match.groups() for match in _TOKEN.finditer(text)]
    message, at = _fields(tokens, 0)
    if at != len(tokens):
        raise Failed(f"not a protobuf text: {text[:200]}")
    return message


def _fields(tokens, at):
    message = {}
    while at < len(tokens) and tokens[at][0]:
        name = _camel(tokens[at][0])
        at += 1
        if tokens[at][3] == ":":
            at += 1
        word, quoted, number, sign = tokens[at]
        if sign in ("{", "<"):
            value, at = _fields(tokens, at + 1)
        else:
            value = _unquoted(quoted) if quoted else {"true": True, "false": False}.get(word, word) if word else number
        at += 1
        if name in message:
            message[name] = [*_many(message[name]), value]
        else:
            message[name] = value
    return message, at
