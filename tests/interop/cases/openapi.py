"""The descriptions at /openapi.json, for a validator that knows OpenAPI."""

import json
import ssl
import urllib.request

from driver.checks import equal, expect
from driver.clients.base import ROOT, SESSIONS
from driver.process import run

PYTHON = ROOT / ".venv-openapi" / "bin" / "python"


def missing():
    return "" if PYTHON.is_file() else "openapi-spec-validator is not installed"


def _document(lab, address):
    context = ssl.create_default_context(cafile=lab.gateway.facts["ca_file"])
    with urllib.request.urlopen(f"https://{address}/openapi.json", context=context, timeout=10) as answer:
        equal(answer.headers["content-type"], "application/json", "media type")
        return json.load(answer)


def test_openapi_descriptions_of_both_ports_are_valid(lab):
    for name, page in (("gateway", "/api/v2/auth/serviceaccount"), ("iam", "/management/v1/users/{user}/pats")):
        document = _document(lab, lab.gateway.facts[name])
        expect(page in document["paths"], f"{name} does not describe {page}")
        done = run([PYTHON, SESSIONS / "openapi_session.py"], 60, stdin=json.dumps(document))
        expect(done.code == 0, f"{name}: {done.text}")
