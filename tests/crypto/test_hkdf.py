from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.hkdf import expand, extract, hkdf
from srpcore.exceptions.base import ConfigurationError
from support import vectors

# RFC 5869, appendix A.1 to A.3: IKM, salt, info, PRK, OKM.
RFC_5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x00, 0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "0b" * 22,
        "",
        "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("ikm", "salt", "info", "prk", "okm"), RFC_5869)
def test_output_equals_the_vectors_of_rfc_5869(ikm: str, salt: str, info: str, prk: str, okm: str) -> None:
    assert extract(bytes.fromhex(salt), bytes.fromhex(ikm)).hex() == prk
    length = len(okm) // 2
    assert expand(bytes.fromhex(prk), bytes.fromhex(info), length).hex() == okm
    derived = hkdf(bytes.fromhex(ikm), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=length)
    assert derived.hex() == okm


def wycheproof(name: str) -> Iterator[tuple[str, vectors.Vector]]:
    for group in vectors.load(name)["testGroups"]:
        for vector in group["tests"]:
            yield f"{vector['tcId']}-{vector['comment']}", vector


@vectors.each("wycheproof/hkdf_sha256_test.json", rows=wycheproof)
def test_output_equals_the_vectors_of_wycheproof(vector: vectors.Vector) -> None:
    ikm, salt, info = (bytes.fromhex(vector[name]) for name in ("ikm", "salt", "info"))
    if vector["result"] == "invalid":
        with pytest.raises(ConfigurationError, match="use 0 to 8160 bytes"):
            hkdf(ikm, salt=salt, info=info, length=vector["size"])
    else:
        assert hkdf(ikm, salt=salt, info=info, length=vector["size"]).hex() == vector["okm"]


@given(
    st.binary(max_size=100),
    st.binary(max_size=100),
    st.binary(max_size=100),
    st.sampled_from([1, 16, 31, 32, 33, 64, 65, 8159, 8160]) | st.integers(1, 200),
)
def test_output_equals_that_of_cryptography(ikm: bytes, salt: bytes, info: bytes, length: int) -> None:
    theirs = HKDF(hashes.SHA256(), length, salt, info).derive(ikm)
    assert hkdf(ikm, salt=salt, info=info, length=length) == theirs


@pytest.mark.parametrize("length", [-1, 8161, 10**9])
def test_a_length_out_of_range_is_refused(length: int) -> None:
    with pytest.raises(ConfigurationError, match=f"length {length}"):
        hkdf(b"key", salt=b"", info=b"", length=length)


def test_a_length_of_zero_gives_empty_bytes() -> None:
    assert hkdf(b"key", salt=b"", info=b"", length=0) == b""
