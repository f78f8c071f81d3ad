"""openssl, curl and the cryptography package: what the authority issues, for every kind of key, and its lists."""

import base64
import hashlib
import json
import shutil
import stat
import tempfile
from pathlib import Path

from driver.checks import equal, expect, needs
from driver.clients.base import SESSIONS
from driver.clients.pygnmi import Pygnmi
from driver.process import run

# What makes the key, and the hash of the CSR's signature. The fifth is where a library once spoiled the key.
KEYS = {
    "rsa2048": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "-sha256"),
    "rsa3072": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "-sha384"),
    "rsa4096": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"], "-sha512"),
    "p256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "-sha256"),
    "p256sha384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "-sha384"),
    "p384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "-sha384"),
    "ed25519": (["-algorithm", "ED25519"], None),
}


def missing():
    absent = [tool for tool in ("openssl", "curl") if not shutil.which(tool)]
    return f"{' and '.join(absent)} not installed" if absent else ""


def _folder():
    return tempfile.TemporaryDirectory(prefix="tollgate-enroll-")


def _openssl(*words, stdin=""):
    done = run(["openssl", *words], stdin=stdin)
    equal(done.code, 0, f"openssl {words[0]}: {done.text}")
    return done.out


def _curl(lab, path, *options):
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", lab.gateway.ca]
    command += ["--write-out", "\\n%{http_code}", *options]
    done = run([*command, f"https://{lab.gateway.address}{path}"])
    equal(done.out.splitlines()[-1], "200", f"{path}: {done.text}")
    return done.out.rsplit("\n", 1)[0]


def _bearer(lab):
    return ["--header", f"Authorization: Bearer {lab.gateway.bearer.token}"]


def _sign(lab, csr, username, certificate, *more):
    query = f"/distribution/sign-csr?certduration=24&format=pem&requestedUsername={username}"
    typed = ["--header", "Content-Type: application/octet-stream", "--data-binary", f"@{csr}"]
    _curl(lab, query, *_bearer(lab), *typed, "--output", certificate, *more)


def _issue(lab, folder, kind):
    """A certificate for a key of this kind, whose CSR asks for far more than it gets."""
    account = lab.gateway.create_account("tenant-user")
    key, csr, certificate = (folder / f"{kind}.{end}" for end in ("key", "csr", "pem"))
    options, digest = KEYS[kind]
    _openssl("genpkey", *options, "-out", key)
    greedy = [
        "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign",
        "-addext", "extendedKeyUsage=serverAuth",
        "-addext", "subjectAltName=DNS:gateway.example",
    ]
    _openssl("req", "-new", "-key", key, *([digest] if digest else []), "-subj", f"/CN={account}", *greedy, "-out", csr)
    _sign(lab, csr, account, certificate)
    return account, csr, certificate


def test_openssl_accepts_every_kind_of_key_and_finds_it_unchanged(lab):
    with _folder() as name:
        folder = Path(name)
        for kind in KEYS:
            _, csr, certificate = _issue(lab, folder, kind)
            _openssl("verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", lab.gateway.ca, certificate)
            server = run(["openssl", "verify", "-purpose", "sslserver", "-CAfile", lab.gateway.ca, certificate])
            expect(server.code != 0, f"{kind} would do for a server: {server.text}")
            asked = _openssl("req", "-in", csr, "-noout", "-pubkey")
            given = _openssl("x509", "-in", certificate, "-noout", "-pubkey")
            equal(given, asked, f"public key of {kind}")
            text = _openssl("x509", "-in", certificate, "-noout", "-text")
            for part in ("CA:TRUE", "gateway.example", "Certificate Sign", "TLS Web Server"):
                expect(part not in text, f"{kind} was given {part}")


@needs(Pygnmi.missing)
def test_cryptography_reads_every_kind_of_certificate(lab):
    with _folder() as name:
        folder = Path(name)
        issued = [(kind, *_issue(lab, folder, kind)) for kind in KEYS]
        files = [certificate for *_, certificate in issued]
        done = run([Pygnmi.python(), SESSIONS / "certificate_session.py", *files])
        equal(done.code, 0, done.text)
        for (kind, account, csr, _), line in zip(issued, done.out.splitlines(), strict=True):
            seen = json.loads(line)
            equal(seen["name"], [account], kind)
            equal(seen["organization"], [lab.gateway.tenant], kind)
            equal(seen["san"], [f"urn:tollgate:tenant:{lab.gateway.tenant}:user:{account}"], kind)
            expect(not seen["is_ca"] and seen["is_client"] and seen["signs_only"], f"{kind}: {seen}")
            equal(seen["critical"], ["2.5.29.15", "2.5.29.19"], f"critical extensions of {kind}")
            equal(seen["serial_bits"], 127, f"serial number of {kind}")
            pem = _openssl("req", "-in", csr, "-noout", "-pubkey")
            der = base64.b64decode("".join(pem.splitlines()[1:-1]))
            equal(seen["key"], hashlib.sha256(der).hexdigest(), f"key of {kind}")


def test_openssl_verifies_the_list_and_obeys_it(lab):
    with _folder() as name:
        folder = Path(name)
        _, _, certificate = _issue(lab, folder, "p256")
        crl = folder / "list.pem"

        def check():
            _curl(lab, "/distribution/crl?pem", "--output", crl)
            verified = run(["openssl", "crl", "-in", crl, "-CAfile", lab.gateway.ca, "-noout"])
            expect("verify OK" in verified.text, verified.text)
            command = ["openssl", "verify", "-crl_check", "-purpose", "sslclient", "-CAfile", lab.gateway.ca]
            return run([*command, "-CRLfile", crl, certificate])

        equal(check().code, 0, "before")
        serial = _openssl("x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1]
        body = ["--header", "Content-Type: application/json", "--data", '{"reason":"superseded"}']
        _curl(lab, f"/api/v2/auth/certificates/{serial}/revoke", *_bearer(lab), *body)
        after = lab.gateway.process.wait_until(lambda: _refused(check()), 5, "the certificate on the list")
        expect("certificate revoked" in after.text, after.text)
        shown = _openssl("crl", "-in", crl, "-noout", "-text")
        expect(serial.upper() in shown.upper() and "Superseded" in shown, shown)


def _refused(done):
    return done if done.code != 0 else None


def test_openssl_reads_what_est_answers(lab):
    with _folder() as name:
        folder = Path(name)
        text = _curl(lab, "/.well-known/est/cacerts")
        (folder / "ca.p7").write_bytes(base64.b64decode(text))
        shown = _openssl("pkcs7", "-inform", "DER", "-in", folder / "ca.p7", "-print_certs")
        expect("Tollgate issuing CA" in shown, shown)
        account, csr, _ = _issue(lab, folder, "p384")
        der = folder / "csr.der"
        _openssl("req", "-in", csr, "-outform", "DER", "-out", der)
        body = folder / "csr.b64"
        body.write_text(base64.b64encode(der.read_bytes()).decode())
        typed = ["--header", "Content-Type: application/pkcs10", "--data-binary", f"@{body}"]
        text = _curl(lab, "/.well-known/est/simpleenroll", *_bearer(lab), *typed)
        (folder / "new.p7").write_bytes(base64.b64decode(text))
        shown = _openssl("pkcs7", "-inform", "DER", "-in", folder / "new.p7", "-print_certs")
        expect(f"CN = {account}" in shown or f"CN={account}" in shown, shown)


def test_enroll_writes_files_that_openssl_accepts(lab):
    with _folder() as name:
        folder = Path(name)
        for key in ("p256", "ed25519", "rsa2048"):
            account = lab.gateway.create_account("tenant-user")
            out = folder / key
            command = [lab.gateway.binary, "enroll", "--gateway", lab.gateway.address, "--ca-file", lab.gateway.ca]
            command += ["--out", out, "--username", account, "--hours", "24", "--key", key]
            done = run(command, env={"TOLLGATE_TOKEN": lab.gateway.bearer.token})
            equal(done.code, 0, done.text)
            expect(account in done.out and lab.gateway.bearer.token not in done.text, done.text)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
            equal(modes, {"ca.pem": 0o644, "client.key": 0o600, "client.pem": 0o644}, "files")
            _openssl("verify", "-purpose", "sslclient", "-CAfile", out / "ca.pem", out / "client.pem")
            private = _openssl("pkey", "-in", out / "client.key", "-pubout")
            equal(private, _openssl("x509", "-in", out / "client.pem", "-noout", "-pubkey"), "key")
            shown = _curl(
                lab, "/api/v1/auth/cert/validate/authorization",
                "--cert", out / "client.pem", "--key", out / "client.key",
            )
            equal(json.loads(shown)["username"], account, "user")


def test_enroll_says_why_there_is_no_certificate(lab):
    with _folder() as name:
        command = [lab.gateway.binary, "enroll", "--gateway", lab.gateway.address, "--ca-file", lab.gateway.ca]
        command += ["--out", Path(name) / "x", "--username", "nobody-of-that-name"]
        done = run(command, env={"TOLLGATE_TOKEN": lab.gateway.bearer.token})
        expect(done.code == 1 and "404 not_found" in done.err, done.text)
        done = run(command, env={"TOLLGATE_TOKEN": ""})
        expect(done.code == 1 and "gateway refuses: 401" in done.err, done.text)
        expect(not (Path(name) / "x" / "client.pem").exists(), "a certificate that nobody gave")
