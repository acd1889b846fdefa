"""The laws of a verifier for the tokens of a user pool: plug in a function and run them.

.. code-block:: python

    import jwt
    from srpcore.testing import TokenPolicy, check_token_verifier

    def verify(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
        key = jwt.PyJWKSet.from_dict(dict(key_set))[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=["RS256"], issuer=policy.issuer, audience=policy.client_id)

    def test_the_laws_of_tokens() -> None:
        check_token_verifier(verify)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from . import pool_tokens as cases
from . import token_encodings as encodings
from .laws import Law, LawBroken, LawReport, equal, run_laws
from .pool_tokens import TokenCase, TokenPolicy
from .token_keys import base64url

__all__ = ["VerifyToken", "changed_tokens", "check_token_verifier", "token_cases"]


class VerifyToken(Protocol):
    """A function that verifies a token."""

    def __call__(self, token: str, key_set: Mapping[str, object], policy: TokenPolicy, /) -> Mapping[str, object]:
        """Return the claims of *token*; raise any exception to refuse it.

        Args:
            token: what a client has sent, of any form.
            key_set: the JWK set of the issuer (RFC 7517), as decoded JSON.
            policy: the issuer, the app client and the kind of token to require.
        """
        ...


# The statement of each law, and the function that makes its cases. Some functions make the cases of several laws.
# A report has this order, so the gross faults are first: a verifier that checks no signature fails many of the laws,
# and "a changed signature is refused" is the one that names the fault.
_SUITE: dict[str, tuple[str, Callable[[], Iterable[TokenCase]]]] = {
    "accepts_access_tokens": ("a valid access token is accepted, and its claims are returned", cases.access_tokens),
    "accepts_id_tokens": ("a valid ID token is accepted, and its claims are returned", cases.id_tokens),
    "accepts_key_sets_with_other_keys": (
        "keys that are not for this token are ignored",
        cases.key_sets_with_other_keys,
    ),
    "refuses_changed_signatures": ("a changed signature is refused", encodings.changed_signatures),
    "refuses_unsigned_tokens": ("a token without a signature is refused", cases.unsigned_tokens),
    "refuses_hmac_with_the_public_key": ("a token that is signed with a public value is refused", cases.hmac_tokens),
    "refuses_other_algorithms": ("only RS256 is accepted", cases.other_algorithms),
    "refuses_critical_extensions": ("a header that requires an extension is refused", cases.critical_extensions),
    "refuses_keys_in_the_header": ("a key that the token brings is not used", cases.keys_in_the_header),
    "refuses_unknown_keys": ("only the key that kid names verifies a token", cases.unknown_keys),
    "requires_kid": ("a token that names no key of the set is refused", cases.wrong_kids),
    "refuses_expired_tokens": ("a token is refused from the second exp on", cases.expired_tokens),
    "refuses_early_tokens": ("a token is refused before nbf", cases.early_tokens),
    "refuses_odd_times": ("exp is required, and exp, nbf and iat are numbers", cases.odd_times),
    "refuses_other_issuers": ("iss is the issuer, character by character", cases.other_issuers),
    "refuses_access_tokens_of_other_clients": ("client_id is the app client", cases.other_clients),
    "refuses_id_tokens_of_other_clients": ("aud is the app client", cases.other_clients),
    "refuses_lists_of_clients": ("aud is a string: a user pool issues a token for one client", cases.other_clients),
    "refuses_other_uses": ("token_use is the kind that is required", cases.other_uses),
    "refuses_other_forms": ("a token has three parts and nothing around them", encodings.other_forms),
    "refuses_other_base64": ("each part is base64url in its only spelling", encodings.other_base64),
    "refuses_other_json": ("the payload is a JSON object in UTF-8", encodings.other_json),
    "refuses_ambiguous_json": ("no member is named twice", encodings.ambiguous_json),
    "refuses_changed_tokens": ("a changed header or payload is refused", encodings.changed_tokens),
    "refuses_wrong_padding": ("the padding of the signature is compared as a whole", encodings.wrong_padding),
    "refuses_keys_for_other_purposes": (
        "kty, use, alg and key_ops of the key are obeyed",
        encodings.keys_for_other_purposes,
    ),
    "refuses_weak_keys": ("a key that an attacker can use is refused", encodings.weak_keys),
    "refuses_ambiguous_key_sets": ("two different keys with one kid are refused", encodings.ambiguous_key_sets),
}


def check_token_verifier(
    verify: VerifyToken,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
    laws: Collection[str] | None = None,
    known_faults: Collection[str] = (),
    examples: int = 50,
) -> LawReport:
    """Run the laws of a verifier for the tokens of a user pool and return the report, if the laws hold.

    The tokens are really signed, and their times are those of this process's clock, which the verifier must use.

    Args:
        verify: the function to check.
        errors: the exception or exceptions that *verify* documents. The law ``raises_documented_errors`` reports any
            other one.
        laws: the names of the laws to run, or None for all.
        known_faults: the names of the laws that do not hold and should not be reported. One that holds is an error,
            so that the list stays right.
        examples: the number of random inputs for each law that has them.

    Raises:
        LawViolation: a law does not hold; its ``report`` has the smallest input that was found.
        ConfigurationError: a name in *laws* or *known_faults* is not the name of a law that is run.
    """
    suite: list[Law[VerifyToken, Any]] = [
        Law(name, statement, _gives_verdict, partial(_cases_of, name), _RANDOM.get(name))
        for name, (statement, _) in _SUITE.items()
    ]
    documented = "a token is refused with an exception that is documented"
    suite.append(Law("raises_documented_errors", documented, partial(_raises_documented, errors), _all_cases))
    return run_laws(suite, verify, known_faults, examples, laws)


def _gives_verdict(verify: VerifyToken, case: TokenCase) -> None:
    if case.accepted:
        equal("the claims", dict(verify(case.token, case.key_set, case.policy)), dict(case.claims))
        return
    try:
        verify(case.token, case.key_set, case.policy)
    except Exception:  # noqa: BLE001 - any exception refuses
        return
    raise LawBroken(f"the token was accepted ({case.change})")


def _raises_documented(
    errors: type[Exception] | tuple[type[Exception], ...], verify: VerifyToken, case: TokenCase
) -> None:
    try:
        verify(case.token, case.key_set, case.policy)
    except errors:
        return
    except Exception as error:  # noqa: BLE001 - that is what the law is about
        raise LawBroken(f"raised {type(error).__name__}: {error}") from None


def _cases_of(name: str) -> Iterable[TokenCase]:
    return (case for case in _SUITE[name][1]() if case.law == name)


def _all_cases() -> Iterable[TokenCase]:
    return chain.from_iterable(map(_cases_of, _SUITE))


def token_cases() -> SearchStrategy[TokenCase]:
    """Return tokens with their verdict: valid ones, and ones that are changed in one place.

    The changes are those of algorithm, header, claims, encoding, signature and keys; each case names its change. The
    tokens are valid at the time when this function is called.
    """
    return st.sampled_from(list(_all_cases())) | changed_tokens()


def changed_tokens() -> SearchStrategy[TokenCase]:
    """Return tokens in which one character was replaced, removed or inserted after they were signed."""
    token = cases.signed(cases.claims_of())
    characters = st.sampled_from(encodings.ALPHABET + ".=+/ \n\0\u00e9")
    places = st.integers(0, len(token))
    changes = st.builds(_change, st.just(token), places, st.sampled_from((0, 1)), characters | st.just(""))
    return changes.filter(lambda changed: changed != token).map(_changed_case)


def _change(token: str, place: int, removed: int, inserted: str) -> str:
    return token[:place] + inserted + token[place + removed :]


def _changed_case(token: str) -> TokenCase:
    return cases.refused("refuses_changed_tokens", "one character", token)


def _random_signatures() -> SearchStrategy[TokenCase]:
    signing_input = cases.signed(cases.claims_of()).rpartition(".")[0]
    return st.binary(max_size=300).map(
        lambda value: cases.refused("refuses_changed_signatures", "random bytes", f"{signing_input}.{base64url(value)}")
    )


_RANDOM = {"refuses_changed_tokens": changed_tokens, "refuses_changed_signatures": _random_signatures}
