"""Reads certificates with the cryptography package, and prints a line of JSON for each file named on the command line."""

import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID


def described(path):
    with open(path, "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    extension = lambda oid: certificate.extensions.get_extension_for_oid(oid)
    usage = extension(ExtensionOID.KEY_USAGE)
    constraints = extension(ExtensionOID.BASIC_CONSTRAINTS)
    purposes = extension(ExtensionOID.EXTENDED_KEY_USAGE).value
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    return {
        "name": [entry.value for entry in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)],
        "organization": [entry.value for entry in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)],
        "san": extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value.get_values_for_type(x509.UniformResourceIdentifier),
        "is_ca": constraints.value.ca,
        "is_client": list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH],
        "signs_only": usage.value.digital_signature and not usage.value.key_cert_sign and not usage.value.crl_sign,
        "critical": sorted(entry.oid.dotted_string for entry in certificate.extensions if entry.critical),
        "serial_bits": certificate.serial_number.bit_length(),
        "key": digest.finalize().hex(),
    }


for name in sys.argv[1:]:
    print(json.dumps(described(name)))
