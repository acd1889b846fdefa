"""The trust anchors of AWS's endpoints: which certificates of a CA bundle are loaded first, and for which hosts.

Theory of operation
===================

OpenSSL needs about 20 ms for the 140 certificates that a system trusts, and about 1.5 ms for Amazon's five. The
certificates of AWS's endpoints lead to those five. So for these hosts, :mod:`~srpcore_transports.tls` does this::

    read the CA bundle, and compute the SHA-256 fingerprint of each certificate in it
    is one of them a root of Amazon?
      no:  load the whole bundle, and connect
      yes: load only these roots, and connect
             accepted, or refused because it is the certificate of another host: final
             refused for any other reason:
               load the whole bundle, connect again, and use the whole bundle from now on

This does not change what is trusted:

- Every certificate that is loaded was read from the bundle. This module knows fingerprints and contains no certificate,
  so a root that the bundle does not contain is never trusted.
- A server that these roots verify would be accepted with the whole bundle too, because they are a part of it.
- A server is refused only after the whole bundle was tried, except for the certificate of another host, which no bundle
  can change. No request is sent before that.

Why not only after "unknown authority"? A server may also send a cross-signed certificate: it has the name and the key
of one root, and is signed by another root, usually an older one. If the first root is loaded, OpenSSL ends the chain
there. If only the second one is loaded, OpenSSL uses the cross-signed certificate, and may find that it has expired::

    the whole bundle     certificate of the server ──► root 1                                      accepted
    only root 2          certificate of the server ──► root 1, signed by root 2 ──► root 2         expired

The bundle is read more strictly here than by OpenSSL. If anything in it is unusual (a certificate with settings of its
own, a revocation list, a key, a line that was commented out, damaged data), then OpenSSL reads the whole bundle.
"""

from __future__ import annotations

import os
from binascii import a2b_base64
from hashlib import sha256
from stat import S_ISREG

from srpcore.pool import other_endpoint

__all__ = ["may_change_with_more_authorities", "roots_in", "roots_of"]

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

# The results of OpenSSL that are the same with any authorities. Any other result is about the chain, and with more
# authorities OpenSSL may find another chain.
_FINAL = frozenset(
    {
        0,  # X509_V_OK: it was not the certificate that failed
        62,  # X509_V_ERR_HOSTNAME_MISMATCH
        63,  # X509_V_ERR_EMAIL_MISMATCH
        64,  # X509_V_ERR_IP_ADDRESS_MISMATCH
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
        # A pipe can be read only once, and OpenSSL does that. It must not even be opened here: opening waits for a
        # program that writes to the pipe, and closing loses what it writes.
        if not S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - importing pathlib is slow
            return b""
        with open(path, "rb") as file:  # noqa: PTH123
            certificates = _certificates(file.read())
    except (OSError, ValueError):
        return b""
    found = {digest: der for der in certificates if (digest := sha256(der).hexdigest()) in fingerprints}
    return b"".join(found.values())


def may_change_with_more_authorities(verify_code: int) -> bool:
    """Return whether a certificate that was refused might be accepted with more authorities (see the module).

    Args:
        verify_code: OpenSSL's result, ``verify_code`` of ``ssl.SSLCertVerificationError``; 0 for any other error.
    """
    return verify_code not in _FINAL


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
