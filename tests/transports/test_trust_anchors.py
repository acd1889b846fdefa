"""Which certificates of a CA bundle are loaded first: the fingerprints, the hosts, and how a bundle is read."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from threading import Thread

import certifi
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from srpcore_transports import trust_anchors
from srpcore_transports.https import HttpsTransport
from srpcore_transports.trust_anchors import may_change_with_more_authorities, roots_in, roots_of

pytestmark = pytest.mark.usefixtures("bare_environment")

# The list at https://www.amazontrust.com/repository/: the name of each root, and the SHA-256 of its public key.
PUBLISHED = {
    "Amazon Root CA 1": "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "Amazon Root CA 2": "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "Amazon Root CA 3": "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "Amazon Root CA 4": "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
    "Starfield Services Root Certificate Authority - G2": (
        "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92"
    ),
}

WANTED, OTHER = trustme.CA(), trustme.CA()
PEM, OTHER_PEM = WANTED.cert_pem.bytes(), OTHER.cert_pem.bytes()
DER = ssl.PEM_cert_to_DER_cert(PEM.decode())
FINGERPRINTS = frozenset({sha256(DER).hexdigest()})


def common_name(certificate: x509.Certificate) -> str:
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


# The root of Starfield has the serial number 0, which is older than the rule against it.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_the_fingerprints_are_those_of_the_roots_that_amazon_publishes() -> None:
    found: dict[str, str] = {}
    for der in ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True):
        if sha256(der).hexdigest() in trust_anchors._AMAZON_ROOTS:
            certificate = x509.load_der_x509_certificate(der)
            key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            found[common_name(certificate)] = sha256(key).hexdigest()
    assert found == PUBLISHED
    assert len(trust_anchors._AMAZON_ROOTS) == len(PUBLISHED)


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_only_amazons_roots_are_loaded_for_the_endpoint_of_a_region() -> None:
    with HttpsTransport("eu-west-1", ca_bundle=certifi.where()) as transport:
        context = transport._tls().context
        certificates = [x509.load_der_x509_certificate(der) for der in context.get_ca_certs(binary_form=True)]
        assert {common_name(certificate) for certificate in certificates} == {*PUBLISHED}
        assert len(transport._tls("localhost").context.get_ca_certs()) > 100


@pytest.mark.parametrize(
    "host",
    [
        "cognito-idp.eu-west-1.amazonaws.com",
        "cognito-idp-fips.us-gov-west-1.amazonaws.com",
        "cognito-idp.eu-west-1.api.aws",
        "cognito-idp.eusc-de-east-1.amazonaws.eu",
    ],
)
def test_the_roots_of_the_services_own_endpoints_are_known(host: str) -> None:
    assert roots_of(host) == trust_anchors._AMAZON_ROOTS


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "",
        "auth.example.com",
        "amazonaws.com",
        "cognito-idp.eu-west-1.amazonaws.com.example.com",
        "cognito-idp.cn-north-1.amazonaws.com.cn",
        "cognito-idp.cn-north-1.api.amazonwebservices.com.cn",
    ],
)
def test_the_roots_of_other_hosts_are_not_known(host: str) -> None:
    assert roots_of(host) is None


def bundle_of(folder: Path, content: bytes) -> str:
    path = folder / "bundle.pem"
    path.write_bytes(content)
    return str(path)


def trusted_certificate(pem: bytes) -> bytes:
    return pem.replace(b" CERTIFICATE-----", b" TRUSTED CERTIFICATE-----")


BUNDLES = {
    "one": PEM,
    "the last of several": OTHER_PEM + PEM,
    "comments between them": b"# roots\n\nOther\n=====\n" + OTHER_PEM + b"\nIssuer: CN=\xc3\xa9 # -- BEGIN --\n" + PEM,
    "lines that end with CRLF": (OTHER_PEM + PEM).replace(b"\n", b"\r\n"),
    "no end of the last line": OTHER_PEM + PEM.rstrip(b"\n"),
    "the same twice": PEM + OTHER_PEM + PEM,
    "a line of another length": PEM.replace(b"\n", b"", 2).replace(
        b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATE-----\n"
    ),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_certificate_is_found_by_its_fingerprint(kind: str, tmp_path: Path) -> None:
    path = bundle_of(tmp_path, BUNDLES[kind])
    ssl.create_default_context(cafile=path)  # OpenSSL accepts the file too
    assert roots_in(path, FINGERPRINTS) == DER


def test_a_bundle_without_the_certificate_gives_none(tmp_path: Path) -> None:
    assert roots_in(bundle_of(tmp_path, OTHER_PEM), FINGERPRINTS) == b""
    assert roots_in(bundle_of(tmp_path, PEM), frozenset()) == b""


def long_base64(more: bytes) -> bytes:
    """Return a certificate whose base64 needs no padding, and has *more* at its end."""
    der = b"\x30\x82\x01\x01" + bytes(257)
    body = b64encode(der)
    assert len(der) % 3 == 0
    return b"-----BEGIN CERTIFICATE-----\n" + body + more + b"\n-----END CERTIFICATE-----\n"


LINES = PEM.splitlines(keepends=True)

# In each of these, OpenSSL must decide what is trusted.
UNUSUAL = {
    "an empty file": b"",
    "no certificate": b"hello\n",
    "a certificate with settings of its own": PEM + trusted_certificate(OTHER_PEM),
    "the same certificate with settings of its own": PEM + trusted_certificate(PEM),
    "another label at the end": PEM + OTHER_PEM.replace(b"-----END CERT", b"-----END TRUSTED CERT"),
    "another label at the start": PEM + OTHER_PEM.replace(b"-----BEGIN CERT", b"-----BEGIN TRUSTED CERT"),
    "a revocation list": PEM + b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
    "a private key": PEM + WANTED.private_key_pem.bytes(),
    "the old label": PEM + OTHER_PEM.replace(b" CERTIFICATE-", b" X509 CERTIFICATE-"),
    "a certificate that was commented out": b"# " + PEM.replace(b"\n", b"\n# ") + b"\n" + OTHER_PEM,
    "a first line that was commented out": OTHER_PEM + b"# " + PEM,
    "a last line that was commented out": PEM.replace(b"-----END", b"# -----END") + OTHER_PEM,
    "a NUL": b"\0\n" + PEM,
    "a byte order mark": b"\xef\xbb\xbf" + PEM,
    "blanks before a first line": OTHER_PEM + b" " + PEM,
    "blanks after a first line": PEM.replace(b"CERTIFICATE-----\n", b"CERTIFICATE----- \n", 1),
    "text behind a first line": PEM.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----AAAA\n", 1),
    "text behind a last line": OTHER_PEM.rstrip(b"\n") + b" hello\n" + PEM,
    "an empty line within base64": PEM.replace(b"\n-----END", b"\n\n-----END"),
    "a CR within base64": PEM.replace(b"\n-----END", b"\r\r\n-----END"),
    "a header": PEM.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
    "no last line": PEM + b"".join(OTHER_PEM.splitlines(keepends=True)[:-1]),
    "no last line at the end of the file": PEM + OTHER_PEM.rpartition(b"\n-----END")[0],
    # For OpenSSL, a line has at most 254 bytes, so this label is at the start of one.
    "a label after a long comment": PEM + b"#" * 254 + trusted_certificate(PEM),
    "base64 with another character": PEM + OTHER_PEM.replace(b"A", b"*", 1),
    "base64 with a blank": PEM + OTHER_PEM.replace(b"A", b" A", 1),
    "base64 without its padding": PEM + b"-----BEGIN CERTIFICATE-----\nMIIB\nMA\n-----END CERTIFICATE-----\n",
    "base64 with too much padding": PEM + long_base64(b"="),
    "base64 with a surplus character": PEM + long_base64(b"A"),
    "a certificate that is cut short": PEM + b"".join(OTHER_PEM.splitlines(keepends=True)[:3]) + LINES[-1],
    "something else than a certificate": PEM + b"-----BEGIN CERTIFICATE-----\naGVsbG8h\n-----END CERTIFICATE-----\n",
    "a SET": PEM + long_base64(b"").replace(b"\nMII", b"\nMYI"),
    "an empty certificate": PEM + b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "two certificates in one": LINES[0] + b"".join(LINES[1:-1]) + b"".join(LINES[1:-1]) + LINES[-1],
    "lines that end with CR": PEM.replace(b"\n", b"\r"),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_openssl_reads_a_bundle_with_anything_unusual_in_it(kind: str, tmp_path: Path) -> None:
    assert roots_in(bundle_of(tmp_path, UNUSUAL[kind]), FINGERPRINTS) == b""


def test_openssl_reports_what_is_not_a_readable_file(tmp_path: Path) -> None:
    assert roots_in(str(tmp_path), FINGERPRINTS) == b""
    assert roots_in(str(tmp_path / "missing.pem"), FINGERPRINTS) == b""
    assert roots_in("a\0b", FINGERPRINTS) == b""


def test_a_pipe_is_left_for_openssl_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pipe.pem"
    os.mkfifo(path)
    # To open it would wait for a writer, and nobody writes to it here.
    monkeypatch.setattr(trust_anchors, "open", lambda *_: pytest.fail("the pipe was opened"), raising=False)
    assert roots_in(str(path), FINGERPRINTS) == b""


def test_a_bundle_in_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pem"
    os.mkfifo(path)
    trusted: list[list[bytes]] = []

    def connect_twice() -> None:
        with HttpsTransport("eu-west-1", ca_bundle=path) as transport:
            transport.prepare(connect=False)
            trusted.extend(transport._tls().context.get_ca_certs(binary_form=True) for _ in range(2))

    # In threads, because a second reader would wait forever for another writer.
    threads = [Thread(target=path.write_bytes, args=(PEM,), daemon=True), Thread(target=connect_twice, daemon=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert trusted == [[DER]] * 2


# Unspecified, no issuer, a bad signature, not yet valid, expired, self-signed (18, 19), no issuer among the loaded ones,
# too long, revoked, not for this purpose, not trusted, rejected, a weak key, not an authority (24 before OpenSSL 3).
@pytest.mark.parametrize("code", [1, 2, 7, 9, 10, 18, 19, 20, 22, 23, 24, 26, 27, 28, 66, 79])
def test_more_authorities_may_change_the_result_for_a_chain(code: int) -> None:
    assert may_change_with_more_authorities(code)


# Not a certificate's fault, a wrong host name, a wrong e-mail address, a wrong IP address.
@pytest.mark.parametrize("code", [0, 62, 63, 64])
def test_more_authorities_cannot_change_the_name_of_a_server(code: int) -> None:
    assert not may_change_with_more_authorities(code)
