"""curl, as a client of RESTCONF."""

import json

from driver.process import run


def curl(gateway, path, *options, body=None):
    """Status and text of the answer to one request; `options` are curl's, `body` is sent as JSON."""
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", gateway.ca, *options]
    command += ["--header", f"Authorization: Bearer {gateway.bearer.token}", "--write-out", "\\n%{http_code}"]
    if body is not None:
        command += ["--header", "Content-Type: application/yang-data+json", "--data-binary", json.dumps(body)]
    done = run([*command, f"https://{gateway.address}{path}"], 30)
    text, _, status = done.out.rpartition("\n")
    return int(status or 0), text
