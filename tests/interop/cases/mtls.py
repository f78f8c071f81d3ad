"""openssl, curl, gnmic, nginx, Envoy, Traefik and testssl.sh: client certificates, from the CSR to the revocation."""

import http.server
import json
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from driver.checks import equal, expect, needs, program
from driver.clients.base import ROOT, SESSIONS
from driver.clients.gnmic import Gnmic
from driver.clients.pygnmi import Pygnmi
from driver.process import Running, run

VALIDATE = "/api/v1/auth/cert/validate/authorization"
SECONDS_TO_REVOKE = 5
PROXIES = ROOT / ".venv-proxies" / "bin"


def missing():
    absent = [tool for tool in ("openssl", "curl") if not shutil.which(tool)]
    return f"{' and '.join(absent)} not installed" if absent else ""


@dataclass(frozen=True)
class Device:
    """An account with a certificate."""

    username: str
    key: Path
    certificate: Path
    serial: str


def _enrol(lab, folder, role="tenant-user"):
    """A service account gets a PAT, and with it a certificate, as the vendor documents it."""
    account = lab.gateway.create_account(role)
    key, csr, certificate = (folder / f"{account}.{end}" for end in ("key", "csr", "pem"))
    made = run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", f"/CN={account}", "-out", csr])
    equal(made.code, 0, f"openssl req: {made.text}")
    query = f"certduration=24&format=pem&requestedUsername={account}&assignedRoles={role}"
    signed = _curl(
        lab,
        f"/distribution/sign-csr?{query}",
        "--header", f"Authorization: Bearer {lab.gateway.bearer.token}",
        "--header", "Content-Type: application/octet-stream",
        "--data-binary", f"@{csr}",
        "--output", certificate,
    )
    equal(signed.out.splitlines()[-1], "200", f"sign-csr: {signed.text}")
    shown = run(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).out
    return Device(account, key, certificate, shown.strip().split("=")[1].lower())


def _curl(lab, path, *options):
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", lab.gateway.ca]
    command += ["--write-out", "\\n%{http_code}", *options]
    return run([*command, f"https://{lab.gateway.address}{path}"])


def _with(device):
    return ["--cert", device.certificate, "--key", device.key]


def _revoke(lab, device):
    done = _curl(
        lab,
        f"/api/v2/auth/certificates/{device.serial}/revoke",
        "--request", "POST",
        "--header", f"Authorization: Bearer {lab.gateway.bearer.token}",
        "--header", f"X-Forwarded-Tenant-Id: {lab.gateway.tenant}",
    )
    equal(done.out.splitlines()[-1], "200", f"revoke: {done.text}")


def _folder():
    return tempfile.TemporaryDirectory(prefix="tollgate-mtls-")


def test_curl_with_a_certificate_is_known_and_without_is_not(lab):
    with _folder() as folder:
        device = _enrol(lab, Path(folder))
        for version in ("--http1.1", "--http2"):
            done = _curl(lab, VALIDATE, version, *_with(device))
            body, code = done.out.rsplit("\n", 1)
            equal(code, "200", done.text)
            equal(json.loads(body)["username"], device.username, "user")
            equal(json.loads(body)["serial"], device.serial, "serial")
        done = _curl(lab, VALIDATE)
        equal(done.out.splitlines()[-1], "401", "without a certificate")


@needs(Pygnmi.missing)
def test_cryptography_verifies_the_assertion(lab):
    with _folder() as folder:
        device = _enrol(lab, Path(folder))
        asked = _curl(lab, VALIDATE, "--include", *_with(device))
        head, body = asked.out.rsplit("\n", 1)[0].replace("\r", "").split("\n\n", 1)
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        keys = _curl(lab, "/.well-known/jwks.json").out.rsplit("\n", 1)[0]
        done = run([Pygnmi.python(), SESSIONS / "assertion_session.py", headers["x-forwarded-jwt"], keys])
        equal(done.code, 0, done.text)
        seen = json.loads(done.out)
        equal(seen["good"], [seen["header"]["kid"]], "keys for which the signature is good")
        expect(seen["named"] == 1 and not seen["forged"], done.out)
        claims = seen["claims"]
        equal(claims["username"], device.username, "user")
        equal(claims["sub"], headers["x-forwarded-user-id"], "subject")
        equal(claims["cnf"]["x5t#S256"], json.loads(body)["x5t#S256"], "certificate")
        expect(0 < claims["exp"] - claims["iat"] <= 60, f"life: {claims}")


def test_openssl_chain_is_good_for_a_client(lab):
    with _folder() as folder:
        device = _enrol(lab, Path(folder))
        done = run(["openssl", "verify", "-purpose", "sslclient", "-CAfile", lab.gateway.ca, device.certificate])
        equal(done.code, 0, done.text)


@needs(Gnmic.missing)
def test_gnmic_with_a_certificate_and_no_token(lab):
    with _folder() as folder:
        device = _enrol(lab, Path(folder))
        command = [Gnmic.path(), "-a", lab.gateway.address, "--tls-ca", lab.gateway.ca]
        known = [*command, "--tls-cert", device.certificate, "--tls-key", device.key]
        done = run([*known, "capabilities"])
        expect(done.code == 0 and "gNMI version" in done.out, done.text)
        done = run([*known, "get", "--path", "/object-type", "-e", "json"])
        equal(done.code, 0, done.text)
        done = run([*known, "set", "--update", "/a/b:::int:::1"])
        expect("PermissionDenied" in done.text, f"a tenant-user may not write: {done.text}")
        done = run([*command, "capabilities"])
        expect("Unauthenticated" in done.text, f"without certificate and token: {done.text}")


def _resume(lab, device, version, session, option):
    """Speaks a request over a session that is stored, or that was."""
    command = ["openssl", "s_client", "-connect", lab.gateway.address, "-CAfile", lab.gateway.ca, version]
    command += ["-cert", device.certificate, "-key", device.key, "-alpn", "http/1.1", "-ign_eof", option, session]
    return run(command, stdin=f"GET {VALIDATE} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")


def test_openssl_session_is_not_resumed_after_a_revocation(lab):
    for version in ("-tls1_2", "-tls1_3"):
        with _folder() as folder:
            device = _enrol(lab, Path(folder))
            session = Path(folder) / "session"
            first = _resume(lab, device, version, session, "-sess_out")
            expect("HTTP/1.1 200" in first.out, first.text)
            stored = session.is_file() and session.stat().st_size > 0
            if stored:
                again = _resume(lab, device, version, session, "-sess_in")
                expect("HTTP/1.1 200" in again.out, again.text)
                if version == "-tls1_2":
                    expect("Reused, TLSv1.2" in again.out, f"not resumed before: {again.text}")
            equal(stored, version == "-tls1_2", f"a session to resume with {version}")
            _revoke(lab, device)
            begun = time.monotonic()
            while True:
                last = _resume(lab, device, version, session, "-sess_in" if stored else "-sess_out")
                if "HTTP/1.1 200" not in last.out:
                    break
                expect(time.monotonic() - begun < SECONDS_TO_REVOKE, f"still taken: {last.text}")
            expect("certificate revoked" in last.text, last.text)


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


NGINX = """
daemon off;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {server_cert}; ssl_certificate_key {server_key};
    ssl_verify_client optional_no_ca;
    location / {{
      auth_request /authorize;
      auth_request_set $user $upstream_http_x_forwarded_user_username;
      add_header X-User $user always;
      root {folder}/pages;
    }}
    location = /authorize {{
      internal;
      proxy_pass https://127.0.0.1:{gateway}{validate};
      proxy_pass_request_body off; proxy_set_header Content-Length "";
      proxy_ssl_certificate {proxy_cert}; proxy_ssl_certificate_key {proxy_key};
      proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify on; proxy_ssl_name localhost;
      proxy_set_header X-Forwarded-Client-Cert 'Cert="$ssl_client_escaped_cert"';
    }}
  }}
}}
"""


class Behind:
    """The interop gateway's data directory, served once more, believing a proxy on this machine."""

    def __init__(self, lab, folder):
        os.chmod(folder, 0o755)
        self.port, iam, admin, self.proxy = _free_ports(4)
        settings = {
            "gateway.listen": f"127.0.0.1:{self.port}",
            "gateway.iam_listen": f"127.0.0.1:{iam}",
            "admin.listen": f"127.0.0.1:{admin}",
            "store.data_dir": lab.gateway.data_dir,
            "gateway.proxies_xfcc": "127.0.0.0/8",
            "gateway.drain_grace": "0s",
            # As the interop gateway has it, on a free port: both read one server certificate.
            "enroll.crl_url": "none",
        }
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self.words, self.admin = words, admin
        self.running = Running([lab.gateway.binary, "serve", *words])
        self.running.wait_until(self._answers, 30, "a second gateway")

    def _answers(self):
        return run(["curl", "--silent", "--fail", f"http://127.0.0.1:{self.admin}/readyz"]).code == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.end()


@needs(program("nginx", "nginx-light"))
def test_nginx_auth_request_with_a_certificate(lab):
    with _folder() as name, Behind(lab, Path(name)) as behind:
        folder = Path(name)
        device, proxy = _enrol(lab, folder), _enrol(lab, folder)
        pages = folder / "pages"
        pages.mkdir()
        (pages / "index.html").write_text("inside\n")
        server = folder / "server.pem"
        made = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=proxy",
                    "-keyout", folder / "server.key", "-out", server])
        equal(made.code, 0, made.text)
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(
            folder=folder, port=behind.proxy, gateway=behind.port, validate=VALIDATE, ca=lab.gateway.ca,
            server_cert=server, server_key=folder / "server.key", proxy_cert=proxy.certificate, proxy_key=proxy.key,
        ))
        ask = lambda *options: run(["curl", "--silent", "--insecure", "--include", "--max-time", "10", *options,
                                    f"https://127.0.0.1:{behind.proxy}/index.html"])
        nginx = Running(["nginx", "-p", folder, "-c", config, "-e", "stderr"])
        try:
            nginx.wait_until(lambda: ask().code == 0, 10, "nginx")
            done = ask(*_with(device))
            expect("200 OK" in done.out and "inside" in done.out, done.text + nginx.text)
            expect(f"X-User: {device.username}" in done.out, done.text)
            expect("401" in ask().out.splitlines()[0], "without a certificate")
            _revoke(lab, device)
            refused = lambda: " 403" in ask(*_with(device)).out.splitlines()[0]
            nginx.wait_until(refused, SECONDS_TO_REVOKE, "the revocation")
        finally:
            nginx.end()


class Echo(http.server.BaseHTTPRequestHandler):
    """The service behind a proxy: answers with the headers that came."""

    def do_GET(self):
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def _service():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _installed(name):
    return lambda: "" if (PROXIES / name).is_file() else f"{name} is not installed"


def _server_certificate(folder):
    server = folder / "server.pem"
    made = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=proxy",
                "-keyout", folder / "server.key", "-out", server])
    equal(made.code, 0, made.text)
    return server, folder / "server.key"


def _envoy(folder, behind, service, ca, proxy):
    """The configuration, which is JSON because YAML is."""
    server, server_key = _server_certificate(folder)
    file = lambda path: {"filename": str(path)}
    pair = lambda certificate, key: [{"certificate_chain": file(certificate), "private_key": file(key)}]
    tls = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
    filters = "type.googleapis.com/envoy.extensions.filters.http."
    at = lambda port: {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    cluster = lambda name, port, **more: {
        "name": name, "connect_timeout": "5s", "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at(port)}}]}]}, **more,
    }
    exact = lambda *names: {"patterns": [{"exact": name} for name in names]}
    authorize = {
        "@type": filters + "ext_authz.v3.ExtAuthz",
        "allowed_headers": exact("x-forwarded-client-cert"),
        "http_service": {
            "server_uri": {"uri": f"https://127.0.0.1:{behind.port}", "cluster": "gateway", "timeout": "5s"},
            "path_prefix": VALIDATE,
            "authorization_response": {"allowed_upstream_headers": exact("x-forwarded-user-username", "x-forwarded-jwt")},
        },
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"cert": True},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "service"}}]}]},
        "http_filters": [
            {"name": "authorize", "typed_config": authorize},
            {"name": "router", "typed_config": {"@type": filters + "router.v3.Router"}},
        ],
    }
    downstream = {
        "@type": tls + "DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": pair(server, server_key), "validation_context": {"trusted_ca": file(ca)}},
    }
    upstream = {
        "@type": tls + "UpstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": pair(proxy.certificate, proxy.key), "validation_context": {"trusted_ca": file(ca)},
        },
    }
    listener = {
        "name": "in", "address": at(behind.proxy),
        "filter_chains": [{
            "transport_socket": {"name": "tls", "typed_config": downstream},
            "filters": [{"name": "http", "typed_config": manager}],
        }],
    }
    clusters = [cluster("service", service), cluster("gateway", behind.port, transport_socket={"name": "tls", "typed_config": upstream})]
    config = folder / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    return [PROXIES / "envoy", "-c", config, "--log-level", "warning", "--disable-hot-restart", "--concurrency", "1"]


@needs(_installed("envoy"))
def test_envoy_ext_authz_with_a_certificate(lab):
    with _folder() as name, Behind(lab, Path(name)) as behind, _service() as service:
        folder = Path(name)
        device, proxy = _enrol(lab, folder), _enrol(lab, folder)
        ask = lambda *options: run(["curl", "--silent", "--insecure", "--max-time", "10", "--write-out", "\\n%{http_code}", *options,
                                    f"https://127.0.0.1:{behind.proxy}/a/page?b=c"])
        envoy = Running(_envoy(folder, behind, service, lab.gateway.ca, proxy))
        try:
            envoy.wait_until(lambda: ask().code == 0, 20, "envoy")
            done = ask(*_with(device), "--header", "X-Forwarded-User-Username: root")
            body, code = done.out.rsplit("\n", 1)
            equal(code, "200", done.text + envoy.text)
            equal(json.loads(body)["x-forwarded-user-username"], device.username, "user that the service is told")
            expect(json.loads(body)["x-forwarded-jwt"].count(".") == 2, body)
            equal(ask().out.splitlines()[-1], "401", "without a certificate")
            _revoke(lab, device)
            refused = lambda: ask(*_with(device)).out.splitlines()[-1] == "403"
            envoy.wait_until(refused, SECONDS_TO_REVOKE, "the revocation")
        finally:
            envoy.end()


@needs(_installed("traefik"))
def test_traefik_forward_auth_with_a_token(lab):
    with _folder() as name, Behind(lab, Path(name)) as behind, _service() as service:
        folder = Path(name)
        forward = {
            "address": f"https://127.0.0.1:{behind.port}/api/v1/auth/validate",
            "authResponseHeaders": ["X-Forwarded-User-Username", "X-Forwarded-JWT"],
            "tls": {"ca": str(lab.gateway.ca)},
        }
        routes = folder / "routes.json"
        routes.write_text(json.dumps({"http": {
            "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "service", "middlewares": ["authorize"]}},
            "middlewares": {"authorize": {"forwardAuth": forward}},
            "services": {"service": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{service}"}]}}},
        }}))
        os.rename(routes, folder / "routes.yml")
        command = [PROXIES / "traefik", f"--entrypoints.in.address=127.0.0.1:{behind.proxy}",
                   f"--providers.file.filename={folder / 'routes.yml'}", "--global.checknewversion=false",
                   "--global.sendanonymoususage=false"]
        ask = lambda *options: run(["curl", "--silent", "--max-time", "10", "--write-out", "\\n%{http_code}", *options,
                                    f"http://127.0.0.1:{behind.proxy}/a/page?b=c"])
        bearer = ["--header", f"Authorization: Bearer {lab.gateway.bearer.token}"]
        traefik = Running(command)
        try:
            traefik.wait_until(lambda: ask(*bearer).out.splitlines()[-1:] == ["200"], 20, "traefik")
            done = ask(*bearer, "--header", "X-Forwarded-User-Username: root")
            seen = json.loads(done.out.rsplit("\n", 1)[0])
            expect(seen["x-forwarded-user-username"] != "root" and seen["x-forwarded-jwt"].count(".") == 2, done.out)
            equal(ask().out.splitlines()[-1], "401", "without a token")
            equal(ask("--header", "Authorization: Bearer x").out.splitlines()[-1], "401", "with garbage")
        finally:
            traefik.end()


def test_sighup_and_command_reload_certificates(lab):
    with _folder() as name, Behind(lab, Path(name)) as behind:
        done = run([lab.gateway.binary, "reload", *behind.words])
        equal(done.code, 0, done.text)
        before = behind.running.err.count("certificates read again")
        os.kill(behind.running.pid, signal.SIGHUP)
        told = lambda: behind.running.err.count("certificates read again") > before
        behind.running.wait_until(told, 5, "a reload by SIGHUP")


@contextmanager
def _demo(lab, folder):
    """Another `tollgate demo`, with nothing set but where it listens."""
    gateway, iam, admin = (f"127.0.0.1:{port}" for port in _free_ports(3))
    listen = ["--gateway", gateway, "--iam", iam, "--admin", admin]
    running = Running([lab.gateway.binary, "demo", "--data-dir", folder, *listen])
    try:
        ready = lambda: run(["curl", "--silent", "--fail", f"http://{admin}/readyz"]).code == 0
        running.wait_until(ready, 30, "a demo")
        yield gateway
    finally:
        running.end()


@needs(program("testssl", "testssl.sh"))
def test_testssl_finds_nothing_above_low(lab):
    with _folder() as folder, _demo(lab, Path(folder) / "data") as address:
        report = Path(folder) / "report.json"
        ca = Path(folder) / "data" / "pki" / "ca.pem"
        command = ["testssl", "--quiet", "--color", "0", "--add-ca", ca, "--jsonfile", report]
        run([*command, "-p", "-s", "-f", "-P", "-S", "-U", address], deadline=110)
        found = json.loads(report.read_text())
        expect(len(found) > 50, f"only {len(found)} findings")
        bad = [one for one in found if one["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
        expect(not bad, json.dumps(bad, indent=1))


def test_openssl_finds_the_list_where_the_server_certificate_says(lab):
    with _folder() as folder, _demo(lab, Path(folder) / "data") as address:
        pki = Path(folder) / "data" / "pki"
        shown = run(["openssl", "x509", "-in", pki / "server.pem", "-noout", "-ext", "crlDistributionPoints"]).out
        urls = re.findall(r"URI:(\S+)", shown)
        expect(len(urls) == 1 and urls[0].startswith(f"https://localhost:{address.split(':')[1]}/"), shown)
        fetched = Path(folder) / "list.der"
        done = run(["curl", "--silent", "--fail", "--max-time", "10", "--cacert", pki / "ca.pem", "--output", fetched, urls[0]])
        equal(done.code, 0, done.text)
        done = run(["openssl", "crl", "-inform", "DER", "-in", fetched, "-CAfile", pki / "ca.pem", "-noout"])
        expect("verify OK" in done.text, done.text)
        listed = Path(folder) / "list.pem"
        run(["openssl", "crl", "-inform", "DER", "-in", fetched, "-out", listed])
        checked = ["openssl", "verify", "-crl_check", "-CRLfile", listed, "-CAfile", pki / "ca.pem"]
        done = run([*checked, "-purpose", "sslserver", pki / "server.pem"])
        equal(done.code, 0, done.text)
