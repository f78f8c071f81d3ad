"""Requests made up from the description at /openapi.json, with answers held against it."""

from driver.checks import expect
from driver.clients.base import ROOT
from driver.process import run

TOOL = ROOT / ".venv-schemathesis" / "bin" / "schemathesis"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"
# Enough for a hundred operations in some examples each on two busy cores.
SECONDS = 100


def missing():
    return "" if TOOL.is_file() else "schemathesis is not installed"


def test_schemathesis_finds_nothing_in_restconf(lab):
    # Streams never end; running and intended are what the unified datastore is; the account API's own tests hold every
    # exchange against its description.
    done = run([
        TOOL, "run", f"https://{lab.gateway.address}/openapi.json", "--tls-verify", lab.gateway.ca,
        "--header", f"Authorization: Bearer {lab.gateway.bearer.token}",
        "--include-path-regex", "^/restconf", "--exclude-path-regex", "/streams/|:intended|:running",
        "--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", "4", "--seed", "5", "--workers", "1",
        "--request-timeout", "20", "--suppress-health-check", "all", "--continue-on-failure", "--no-color",
        "--warnings", "off",
    ], SECONDS)
    expect(done.code == 0, done.text[-6000:])
