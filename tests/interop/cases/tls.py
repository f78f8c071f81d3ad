"""openssl and curl: what is on the gateway's port below and beside gRPC."""

import shutil

from driver.checks import equal, expect
from driver.process import run


def missing():
    absent = [tool for tool in ("openssl", "curl") if not shutil.which(tool)]
    return f"{' and '.join(absent)} not installed" if absent else ""


def _openssl(gateway, *options):
    command = ["openssl", "s_client", "-connect", gateway.address, "-CAfile", gateway.ca, "-verify_return_error"]
    return run([*command, *options], stdin="")


def _curl(gateway, *options, scheme="https", path="/healthz"):
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", gateway.ca]
    command += ["--output", "-", "--write-out", "\\n%{http_code} %{http_version}", *options]
    return run([*command, f"{scheme}://{gateway.address}{path}"])


def test_openssl_tls_1_3_with_h2(lab):
    done = _openssl(lab.gateway, "-tls1_3", "-alpn", "h2", "-verify_ip", lab.gateway.host)
    expect("TLSv1.3" in done.out and "ALPN protocol: h2" in done.out, done.text)
    expect("Verify return code: 0 (ok)" in done.out, done.text)


def test_openssl_tls_1_2_with_h2(lab):
    done = _openssl(lab.gateway, "-tls1_2", "-alpn", "h2", "-verify_ip", lab.gateway.host)
    expect("TLSv1.2" in done.out and "ALPN protocol: h2" in done.out, done.text)


def test_openssl_alpn_prefers_what_both_have(lab):
    done = _openssl(lab.gateway, "-alpn", "spdy/1,http/1.1")
    expect("ALPN protocol: http/1.1" in done.out, done.text)


def test_openssl_tls_1_1_and_older_are_refused(lab):
    for version in ("-tls1_1", "-tls1"):
        # The lowered level makes openssl offer it at all, so that the refusal is the gateway's.
        done = _openssl(lab.gateway, version, "-cipher", "DEFAULT@SECLEVEL=0")
        refused = done.code != 0 and " alert " in done.text and "no peer certificate" in done.text
        expect(refused, f"{version}: {done.text}")


def test_openssl_handshake_without_alpn(lab):
    # Clients fetch the certificate this way before they connect.
    done = _openssl(lab.gateway)
    expect("No ALPN negotiated" in done.out and "Verify return code: 0 (ok)" in done.out, done.text)


def test_curl_healthz_over_http_1_1(lab):
    done = _curl(lab.gateway, "--http1.1")
    equal(done.out.splitlines()[-1], "200 1.1", "status and version")


def test_curl_healthz_over_http_2(lab):
    done = _curl(lab.gateway, "--http2-prior-knowledge")
    equal(done.out.splitlines()[-1], "200 2", "status and version")


def test_curl_without_the_ca_is_refused_by_curl(lab):
    done = run(["curl", "--silent", "--max-time", "10", f"https://{lab.gateway.address}/healthz"])
    equal(done.code, 60, "curl's exit code for an unknown issuer")


def test_curl_plain_http_is_refused(lab):
    done = _curl(lab.gateway, scheme="http")
    expect(done.code != 0, f"plain HTTP was answered: {done.text}")


def test_curl_metrics_on_the_admin_port(lab):
    done = run(["curl", "--silent", "--max-time", "10", f"http://{lab.gateway.facts['admin']}/metrics"])
    expect(done.code == 0 and "# TYPE" in done.out, f"no metrics: {done.text[:500]}")
    expect(lab.gateway.bearer.token not in done.out, "a token is in the metrics")
