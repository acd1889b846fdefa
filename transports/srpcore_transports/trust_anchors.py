"""The trust anchors of AWS's endpoints: which certificates of a CA bundle are loaded first, and for which hosts.

Theory of operation
===================

OpenSSL needs about 20 ms for the 140 certificates that a system trusts, and about 1.5 ms for Amazon's five. The
certificates of AWS's endpoints lead to those five. So for these hosts, :mod:`~srpcore_transports.tls` does this::

    read the CA bundle, and compute the SHA-256 fingerprint of each certificate in it
    is one of them a root of Amazon?
      no:  load the whole bundle, and connect
      yes: load only these roots, and connect
             the chain of the server does not lead to one of them:
               load the whole bundle, connect again, and use the whole bundle from now on
             any other result: final

This does not change what is trusted:

- Every certificate that is loaded was read from the bundle. This module knows fingerprints and contains no certificate,
  so a root that the bundle does not contain is never trusted.
- A server that these roots verify would be accepted with the whole bundle too, because they are a part of it.
- A server is refused for an unknown authority only after the whole bundle was tried. No request is sent before that.

The bundle is read more strictly here than by OpenSSL. If anything in it is unusual (a certificate with settings of its
own, a revocation list, a key, a line that was commented out, damaged data), then OpenSSL reads the whole bundle.
"""

from __future__ import annotations

import os
from binascii import a2b_base64
from hashlib import sha256
from stat import S_ISREG

from srpcore.pool import other_endpoint

__all__ = ["leads_to_unknown_authority", "roots_in", "roots_of"]

# SHA-256 of the certificates in DER. Amazon publishes the certificates, and the SHA-256 of the key in each, at
# https://www.amazontrust.com/repository/. The fingerprints were computed with `openssl x509 -fingerprint -sha256` from
# Mozilla's list of roots (Debian's package ca-certificates and certifi 2026), after a comparison of the keys with the
# list of Amazon. Only self-signed certificates: a cross-signed one is not an anchor.
_AMAZON_ROOTS = frozenset(
    {
        # Amazon Root CA 1: RSA with 2048 bits, until 2038. Its key has the SHA-256 fbe30180...
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        # Amazon Root CA 2: RSA with 4096 bits, until 2040. Its key has the SHA-256 7f4296fc...
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        # Amazon Root CA 3: P-256, until 2040. Its key has the SHA-256 36abc326...
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        # Amazon Root CA 4: P-384, until 2040. Its key has the SHA-256 f7ecded5...
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        # Starfield Services Root Certificate Authority - G2: RSA with 2048 bits, until 2037. Its key has the SHA-256
        # 2b071c59...
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    }
)

# For the tests and the benchmark, whose servers are on this machine: other hosts, and the fingerprints of their roots.
# Not an option, and not a variable of the environment. An entry could not add trust either: see the module.
_OTHER_HOSTS: dict[str, frozenset[str]] = {}

# The results of OpenSSL that mean: the chain does not end at one of the loaded authorities. More authorities can change
# these results and no others. OpenSSL gives 20 if the server did not send the root. A proxy that inspects TLS often
# sends its own root, and then OpenSSL gives 19.
_UNKNOWN_AUTHORITY = frozenset(
    {
        2,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT: of a certificate in the directory of the system
        18,  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: the server's certificate may itself be in the bundle
        19,  # X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
        20,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    }
)


def roots_of(host: str) -> frozenset[str] | None:
    """Return the fingerprints of the roots that certificates of *host* lead to, or None if nothing is known.

    They are known for AWS's own endpoints, except those in China, whose certificates may be of another authority.
    """
    if other_endpoint(f"https://{host}") is None and not host.endswith(".cn"):
        return _AMAZON_ROOTS
    return _OTHER_HOSTS.get(host)


def roots_in(path: str | bytes, fingerprints: frozenset[str]) -> bytes:
    """Return those certificates in the PEM file *path* that have one of *fingerprints*, each once, in DER.

    The result is empty if there is none, or if only OpenSSL can decide what the file means (see the module).
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib is slow
            # A pipe can be read only once, and that is for OpenSSL to do.
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                return b""
            certificates = _certificates(file.read())
    except (OSError, ValueError):
        return b""
    found = {digest: der for der in certificates if (digest := sha256(der).hexdigest()) in fingerprints}
    return b"".join(found.values())


def leads_to_unknown_authority(verify_code: int) -> bool:
    """Return whether a certificate was refused because its chain does not end at one of the loaded authorities.

    Args:
        verify_code: OpenSSL's result, ``verify_code`` of ``ssl.SSLCertVerificationError``.
    """
    return verify_code in _UNKNOWN_AUTHORITY


def _certificates(pem: bytes) -> list[bytes]:
    """Return the certificates in *pem* (RFC 7468) in DER.

    Raises:
        ValueError: there is something else than certificates in the strict form, and comments between them.
    """
    if b"\r" in pem:
        pem = pem.replace(b"\r\n", b"\n")
    blocks = (b"\n" + pem).split(b"\n-----BEGIN ")[1:]
    # A BEGIN within a line is usually in a comment. But OpenSSL reads at most 254 bytes of a line, and takes the
    # rest for another line. It takes a NUL for the end of a line.
    if len(blocks) != pem.count(b"-----BEGIN") or b"\0" in pem:
        raise ValueError("there is a BEGIN within a line, or a NUL")
    return [_certificate(block) for block in blocks]


def _certificate(block: bytes) -> bytes:
    text, end, after = block.partition(b"\n-----END CERTIFICATE-----")
    label, _, body = text.partition(b"-----\n")
    lines = body.split(b"\n")
    if label != b"CERTIFICATE" or not end or b"" in lines:
        raise ValueError("a block is not a certificate, has headers or an empty line")
    if after[:1] not in (b"", b"\n"):
        raise ValueError("there is something behind an END")
    base64 = b"".join(lines)
    if len(base64) % 4:
        raise ValueError("base64 has no padding, or too much: the strict mode accepts one = too many")
    der = a2b_base64(base64, strict_mode=True)  # binascii.Error is a ValueError
    # A SEQUENCE of 256 to 65,535 bytes, and nothing behind it.
    if der[:2] != b"\x30\x82" or int.from_bytes(der[2:4], "big") + 4 != len(der):
        raise ValueError("a certificate is cut short")
    return der
