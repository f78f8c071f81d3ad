"""A service behind a proxy verifies X-Forwarded-JWT by the published keys. Arguments: the assertion, the keys as JSON."""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(data):
    return int.from_bytes(data, "big")


def is_good(key, signed, signature):
    public = EllipticCurvePublicNumbers(number(decode(key["x"])), number(decode(key["y"])), SECP256R1()).public_key()
    try:
        public.verify(encode_dss_signature(number(signature[:32]), number(signature[32:])), signed.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


assertion, keys = sys.argv[1], json.loads(sys.argv[2])["keys"]
signed, signature = assertion.rsplit(".", 1)
header, claims = (json.loads(decode(part)) for part in signed.split("."))
named = [key for key in keys if key["kid"] == header["kid"]]
good = [key["kid"] for key in keys if is_good(key, signed, decode(signature))]
forged = any(is_good(key, signed + "x", decode(signature)) for key in keys)
print(json.dumps({"header": header, "claims": claims, "named": len(named), "good": good, "forged": forged}))
