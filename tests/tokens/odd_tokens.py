"""Really signed tokens with odd claims, headers and bytes: a hypothesis strategy weighted to the edges."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from support.minting import CLIENT, ISSUER, KID, NOW, access_claims, id_claims, segment, sign

__all__ = ["odd_tokens"]

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
TIMES = st.one_of(
    st.sampled_from([NOW - 10**6, NOW + 10**6, float(NOW + 10**6), str(NOW + 10**6), 1e300, 0, True]),
    st.integers(NOW + 1000, 2**62),
    ODD,
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "exp": TIMES,
    "nbf": TIMES,
    "iat": TIMES,
    "iss": st.sampled_from([ISSUER, ISSUER + "/", "", [ISSUER]]) | ODD,
    "aud": st.sampled_from([CLIENT, [CLIENT], ["another", CLIENT], "another"]) | ODD,
    "client_id": st.sampled_from([CLIENT, "another"]) | ODD,
    "token_use": st.sampled_from(["access", "id", "refresh"]) | ODD,
    "sub": ODD,
    "jti": ODD,
    "scope": ODD,
    "cognito:groups": ODD,
    "custom:deep": st.sampled_from([json.loads("[" * depth + "]" * depth) for depth in (5, 31, 40)]),
    "custom:any": ODD | st.text(st.characters(), max_size=3) | st.just("\ud800"),
}
HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "alg": st.sampled_from(["none", "HS256", "rs256", None]),
    "kid": st.sampled_from(["another", "", None, 7]),
    "typ": st.sampled_from(["JWT", "at+jwt", 7]),
    "crit": st.sampled_from([[], ["exp"], None, ["b64"]]),
    "b64": st.booleans(),
    "x": ODD,
}
BYTES = ["twice", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"]
REMOVED = object()


def edits(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    one = st.one_of([st.tuples(st.just(name), st.just(REMOVED) | values) for name, values in members.items()])
    return st.lists(one, max_size=2).map(dict)


def edited(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not REMOVED}


def in_other_bytes(kind: str, payload: bytes) -> bytes:
    if kind == "twice":
        return payload[:-1] + b',"exp":1}'
    return payload.decode("utf-8", "surrogatepass").encode(kind, "surrogatepass")


def odd_tokens(more: dict[str, st.SearchStrategy[Any]] | None = None) -> st.SearchStrategy[tuple[str, str]]:
    """Return tokens with the use that they were made for; *more* are values for claims, beside the usual ones."""
    values = {name: usual | more[name] if more and name in more else usual for name, usual in CHANGES.items()}
    return _tokens(edits(values))


@st.composite
def _tokens(draw: st.DrawFn, claim_edits: st.SearchStrategy[dict[str, Any]]) -> tuple[str, str]:
    use = draw(st.sampled_from(["access", "id"]))
    claims = edited(access_claims() if use == "access" else id_claims(), draw(claim_edits))
    payload = json.dumps(claims, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    header, padding = {"alg": "RS256", "kid": KID}, ["", "", ""]
    match draw(st.sampled_from(["claims", "claims", "claims", "header", "bytes", "padding"])):
        case "header":
            header = edited(header, draw(HEADER_EDITS))
        case "bytes":
            payload = in_other_bytes(draw(st.sampled_from(BYTES)), payload)
        case "padding":
            padding = draw(st.lists(st.sampled_from(["", "=", "=="]), min_size=3, max_size=3))
        case _:
            pass
    token = sign(f"{segment(header)}{padding[0]}.{segment(payload)}{padding[1]}")
    return token + padding[2], use


HEADER_EDITS = edits(HEADERS)
