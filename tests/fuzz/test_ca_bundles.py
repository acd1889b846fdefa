"""The reader of CA bundles beside OpenSSL: a certificate that is found in a changed bundle is one that OpenSSL loads."""

from __future__ import annotations

import ssl
from hashlib import sha256
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from srpcore_transports.trust_anchors import _certificates, roots_in

pytestmark = pytest.mark.slow

WANTED, OTHER = (trustme.CA().cert_pem.bytes() for _ in range(2))
DER = ssl.PEM_cert_to_DER_cert(WANTED.decode())
FINGERPRINTS = frozenset({sha256(DER).hexdigest()})

BUNDLES = [WANTED, WANTED + OTHER, OTHER + WANTED, OTHER + WANTED + OTHER, WANTED + WANTED]

PARTS = [
    *(b"\n \r \r\n \n\n \t \x0b \x0c \0 # - = A ----- -----BEGIN -----END".split(b" ")),
    b" ",
    b"-----BEGIN CERTIFICATE-----",
    b"-----END CERTIFICATE-----\n",
    b"TRUSTED ",
    b"X509 ",
    b"Proc-Type: 4,ENCRYPTED\n\n",
    b"\xef\xbb\xbf",
]

# Where a change begins (the number of a line, and bytes from its start), how many bytes are removed, what is inserted.
CHANGES = st.tuples(
    st.integers(0, 60), st.integers(-6, 30), st.sampled_from([0, 0, 0, 1, 5, 27, 65]), st.sampled_from([b"", *PARTS])
)


def changed(bundle: bytes, changes: list[tuple[int, int, int, bytes]]) -> bytes:
    for line, offset, removed, inserted in changes:
        starts = [0, *(index + 1 for index, byte in enumerate(bundle) if byte == ord("\n"))]
        place = max(0, starts[line % len(starts)] + offset)
        bundle = bundle[:place] + inserted + bundle[place + removed :]
    return bundle


def openssl_loads(path: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return False
    return DER in context.get_ca_certs(binary_form=True)


def can_be_parsed(der: bytes) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    except ssl.SSLError:
        return False
    return True


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundle") / "bundle.pem"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(BUNDLES), st.lists(CHANGES, max_size=3))
@example(WANTED + OTHER, [(9, -1, 0, b"\r\n")])  # an empty line within base64
@example(WANTED + OTHER, [(0, 0, 0, b"\0")])
@example(WANTED + b"-----BEGIN CERTIFICATE-----\nMIIBAQ==A\n-----END CERTIFICATE-----\n", [])
def test_a_certificate_that_is_found_is_one_that_openssl_loads(
    path: Path, bundle: bytes, changes: list[tuple[int, int, int, bytes]]
) -> None:
    data = changed(bundle, changes)
    path.write_bytes(data)
    if roots_in(str(path), FINGERPRINTS):
        # The one difference: OpenSSL refuses a bundle if the bytes of another certificate are damaged.
        assert openssl_loads(path) or not all(map(can_be_parsed, _certificates(data)))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_both_find_the_certificate_in_a_bundle_that_was_not_changed(path: Path, bundle: bytes) -> None:
    path.write_bytes(bundle)
    assert roots_in(str(path), FINGERPRINTS) == DER
    assert openssl_loads(path)
