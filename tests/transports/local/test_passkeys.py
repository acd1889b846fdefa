"""Passkeys: registration and login are really checked. The W3C's test vectors are the oracle, boto3 the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.totp import totp
from srpcore.exceptions import ServiceError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.auth import cbor, passkeys, webauthn
from support.authenticator import Authenticator, b64url
from support.authenticator import cbor as encode_cbor
from support.clock import Clock

from .boto import KEYS, connected
from .client import Client, enrol, members_of, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]
TOTP: dict[str, Any] = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
POLICY = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}}


@pytest.fixture
def client(make: Make) -> Client:
    client = make(pool_settings=POLICY)
    client.user(email="alice@example.com")
    return client


@pytest.fixture
def token(client: Client) -> str:
    return client.tokens()["AccessToken"]


def options_of(client: Client, token: str) -> dict[str, Any]:
    options: dict[str, Any] = client.call("StartWebAuthnRegistration", AccessToken=token)["CredentialCreationOptions"]
    return options


def complete(client: Client, token: str, credential: Any) -> None:
    client.call("CompleteWebAuthnRegistration", AccessToken=token, Credential=credential)


def register(client: Client, token: str, authenticator: Authenticator | None = None) -> Authenticator:
    authenticator = authenticator or Authenticator()
    complete(client, token, authenticator.create(options_of(client, token)))
    return authenticator


def listed(client: Client, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("ListWebAuthnCredentials", AccessToken=token)["Credentials"]
    return found


def ask(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    challenge = client.call(
        "InitiateAuth",
        ClientId=client.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": "alice", "PREFERRED_CHALLENGE": "WEB_AUTHN"},
    )
    assert challenge["ChallengeName"] == "WEB_AUTHN"
    return challenge, json.loads(challenge["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])


def log_in(client: Client, authenticator: Authenticator) -> dict[str, Any]:
    challenge, options = ask(client)
    return client.answer(challenge, CREDENTIAL=json.dumps(authenticator.get(options)))


class TestVectors:
    """W3C Web Authentication level 3, section 16.1, ``none.ES256``: made by others, for example.org."""

    CREATE_CHALLENGE = "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130"
    ID = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"
    CREATE_CLIENT_DATA = (
        "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d50743455787847545374"
        "6e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578"
        "616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e744461"
        "74614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865"
        "206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d"
    )
    ATTESTATION = (
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd4"
        "6592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579b"
        "a6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f"
        "26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
    )
    GET_CHALLENGE = "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408"
    AUTHENTICATOR_DATA = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000"
    GET_CLIENT_DATA = (
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a"
        "5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d70"
        "6c652e6f7267222c2263726f73734f726967696e223a66616c73657d"
    )
    SIGNATURE = (
        "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf"
        "11a1dd5d78c6e486013f937295ea13653e331e87"
    )

    @pytest.fixture
    def client(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration={"RelyingPartyId": "example.org"})
        challenges = [bytes.fromhex(self.CREATE_CHALLENGE), bytes.fromhex(self.GET_CHALLENGE)]
        monkeypatch.setattr(passkeys, "new_challenge", lambda: challenges.pop(0))
        return client

    def credential(self, **response: str) -> dict[str, Any]:
        encoded = {name: b64url(bytes.fromhex(value)) for name, value in response.items()}
        return {"id": b64url(bytes.fromhex(self.ID)), "type": "public-key", "response": encoded}

    def register(self, client: Client, token: str) -> None:
        options_of(client, token)
        complete(
            client,
            token,
            self.credential(clientDataJSON=self.CREATE_CLIENT_DATA, attestationObject=self.ATTESTATION),
        )

    def answer(self, **changes: str) -> dict[str, Any]:
        return self.credential(
            **{
                "clientDataJSON": self.GET_CLIENT_DATA,
                "authenticatorData": self.AUTHENTICATOR_DATA,
                "signature": self.SIGNATURE,
                **changes,
            }
        )

    def test_the_vector_is_registered_and_logs_in(self, client: Client, token: str) -> None:
        self.register(client, token)
        assert listed(client, token)[0]["CredentialId"] == b64url(bytes.fromhex(self.ID))
        challenge, options = ask(client)
        assert options["rpId"] == "example.org"
        assert "AuthenticationResult" in client.answer(challenge, CREDENTIAL=json.dumps(self.answer()))

    def test_one_changed_bit_is_refused(self, client: Client, token: str) -> None:
        self.register(client, token)
        challenge, _ = ask(client)
        changed = self.answer(signature=self.SIGNATURE[:-1] + "6")
        with refused("NotAuthorizedException", "signature"):
            client.answer(challenge, CREDENTIAL=json.dumps(changed))


class TestRegistration:
    def test_the_browser_gets_the_documented_options(self, client: Client, token: str) -> None:
        options = options_of(client, token)
        assert options["rp"]["id"] == "localhost"
        assert options["user"]["name"] == "alice@example.com"
        assert [entry["alg"] for entry in options["pubKeyCredParams"]] == [-7, -257]
        assert options["attestation"] == "none"
        assert options["excludeCredentials"] == []
        assert options["authenticatorSelection"]["userVerification"] == "preferred"
        assert len(options["challenge"]) == 43
        assert options_of(client, token)["challenge"] != options["challenge"]

    def test_a_passkey_is_listed_excluded_and_deleted(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        (shown,) = listed(client, token)
        assert shown["CredentialId"] == b64url(authenticator.id)
        assert (shown["RelyingPartyId"], shown["AuthenticatorAttachment"]) == ("localhost", "platform")
        assert shown["AuthenticatorTransports"] == ["internal"]
        assert shown["CreatedAt"].timestamp() == client.clock.now
        assert options_of(client, token)["excludeCredentials"][0]["id"] == shown["CredentialId"]
        client.call("DeleteWebAuthnCredential", AccessToken=token, CredentialId=shown["CredentialId"])
        assert listed(client, token) == []
        with refused("ResourceNotFoundException"):
            client.call("DeleteWebAuthnCredential", AccessToken=token, CredentialId=shown["CredentialId"])

    def test_a_challenge_can_be_used_once_in_time_and_by_its_client(self, client: Client, token: str) -> None:
        credential = Authenticator().create(options_of(client, token))
        complete(client, token, credential)
        with refused("WebAuthnChallengeNotFoundException"):
            complete(client, token, credential)
        credential = Authenticator().create(options_of(client, token))
        client.clock.now += 300
        with refused("WebAuthnChallengeNotFoundException"):
            complete(client, token, credential)
        other = client.admin("CreateUserPoolClient", ClientName="other")["UserPoolClient"]["ClientId"]
        credential = Authenticator().create(options_of(client, token))
        with refused("WebAuthnClientMismatchException"):
            complete(client, client.use(other).tokens()["AccessToken"], credential)
        assert len(listed(client, token)) == 1

    def test_a_credential_cannot_be_registered_twice_even_by_another_user(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        client.user("bob")
        with refused("InvalidParameterException", "already registered"):
            register(client, client.tokens("bob")["AccessToken"], authenticator)

    def test_a_user_and_a_page_have_at_most_twenty_passkeys(self, client: Client, token: str) -> None:
        made = [register(client, token) for _ in range(20)]
        with refused("LimitExceededException"):
            options_of(client, token)
        assert len(listed(client, token)) == 20
        first = client.call("ListWebAuthnCredentials", AccessToken=token, MaxResults=12)
        rest = client.call("ListWebAuthnCredentials", AccessToken=token, NextToken=first["NextToken"])
        shown = [entry["CredentialId"] for page in (first, rest) for entry in page["Credentials"]]
        assert shown == [b64url(authenticator.id) for authenticator in made]
        assert len(first["Credentials"]) == 12
        with refused("InvalidParameterException"):
            client.call("ListWebAuthnCredentials", AccessToken=token, MaxResults=21)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"origin": "https://evil.example"}, "WebAuthnOriginNotAllowedException"),
            ({"origin": "http://localhost.evil.example"}, "WebAuthnOriginNotAllowedException"),
            ({"origin": "https://notlocalhost"}, "WebAuthnOriginNotAllowedException"),
            ({"origin": "ftp://localhost"}, "WebAuthnOriginNotAllowedException"),
            ({"origin": "http://localhost/page"}, "WebAuthnOriginNotAllowedException"),
            ({"client_data": {"crossOrigin": True}}, "WebAuthnOriginNotAllowedException"),
            ({"client_data": {"origin": None}}, "WebAuthnOriginNotAllowedException"),
            ({"client_data": {"origin": 7}}, "WebAuthnOriginNotAllowedException"),
            ({"client_data": {"origin": "https://["}}, "WebAuthnOriginNotAllowedException"),
            ({"client_data": {"challenge": "AAAA"}}, "WebAuthnChallengeNotFoundException"),
            ({"client_data": {"challenge": None}}, "WebAuthnChallengeNotFoundException"),
            ({"client_data": {"type": "webauthn.get"}}, "InvalidParameterException"),
            ({"flags": 0x04}, "InvalidParameterException"),
            ({"fmt": "packed"}, "WebAuthnCredentialNotSupportedException"),
        ],
    )
    def test_wrong_client_data_is_refused(self, client: Client, token: str, changes: dict[str, Any], code: str) -> None:
        with refused(code):
            register(client, token, Authenticator(**changes))
        assert listed(client, token) == []

    @pytest.mark.parametrize("origin", ["https://localhost", "http://localhost:3000", "https://app.localhost"])
    def test_origins_of_the_relying_party_are_accepted(self, client: Client, token: str, origin: str) -> None:
        register(client, token, Authenticator(origin=origin))

    def test_plain_http_is_accepted_for_localhost_only(self, client: Client, token: str) -> None:
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration={"RelyingPartyId": "id.example"})
        with refused("WebAuthnOriginNotAllowedException"):
            register(client, token, Authenticator(origin="http://id.example"))
        register(client, token, Authenticator(origin="https://www.id.example"))

    def test_the_credential_of_another_relying_party_is_refused(self, client: Client, token: str) -> None:
        options = options_of(client, token)
        credential = Authenticator().create({**options, "rp": {"id": "id.example"}})
        with refused("WebAuthnRelyingPartyMismatchException"):
            complete(client, token, credential)

    def test_user_verification_is_required_if_the_pool_says_so(self, client: Client, token: str) -> None:
        config = {"RelyingPartyId": "localhost", "UserVerification": "required"}
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration=config)
        assert options_of(client, token)["authenticatorSelection"]["userVerification"] == "required"
        with refused("InvalidParameterException", "verified"):
            register(client, token, Authenticator(flags=0x01))
        authenticator = register(client, token)
        authenticator.flags = 0x01
        with refused("NotAuthorizedException", "verified"):
            log_in(client, authenticator)

    @pytest.mark.parametrize(
        "key",
        [
            {},
            {1: 2, 3: -8, -1: 6, -2: bytes(32)},
            {1: 2, 3: -7, -1: 2, -2: bytes(32), -3: bytes(32)},
            {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},
            {1: 2, 3: -7, -1: 1, -2: 5, -3: bytes(32)},
            {1: 3, 3: -257, -1: b"\x03", -2: b"\x03"},
        ],
    )
    def test_a_key_that_cannot_be_used_is_refused(
        self, client: Client, token: str, monkeypatch: pytest.MonkeyPatch, key: dict[int, Any]
    ) -> None:
        authenticator = Authenticator()
        monkeypatch.setattr(authenticator, "cose_key", lambda: key)
        with pytest.raises(ServiceError, match=r"\b(InvalidParameter|WebAuthnCredentialNotSupported)Exception\b"):
            register(client, token, authenticator)

    @pytest.mark.parametrize("credential", ["{}", [], 1])
    def test_a_credential_that_is_not_an_object_is_refused(self, client: Client, token: str, credential: Any) -> None:
        options_of(client, token)
        with refused("InvalidParameterException", "it is not a JSON object"):
            complete(client, token, credential)

    @pytest.mark.parametrize(
        "change",
        [
            lambda c: c.clear(),
            lambda c: c.update(type="password"),
            lambda c: c.update(response=[]),
            lambda c: c.update(id="!"),
            lambda c: c.update(id=b64url(b"another")),
            lambda c: c["response"].update(clientDataJSON="e30"),
            lambda c: c["response"].update(clientDataJSON="W10"),
            lambda c: c["response"].update(clientDataJSON="_w"),
            lambda c: c["response"].update(clientDataJSON=7),
            lambda c: c["response"].pop("attestationObject"),
            lambda c: c["response"].update(attestationObject=""),
            lambda c: c["response"].update(attestationObject="oA"),
            lambda c: c["response"].update(attestationObject="X4"),
            lambda c: c["response"].update(attestationObject=b64url(encode_cbor({"fmt": "none", "authData": b"x"}))),
        ],
    )
    def test_a_malformed_credential_is_refused(self, client: Client, token: str, change: Callable[[Any], Any]) -> None:
        credential = Authenticator().create(options_of(client, token))
        change(credential)
        with pytest.raises(ServiceError, match=r"\b(InvalidParameter|WebAuthn\w+)Exception\b"):
            complete(client, token, credential)
        assert listed(client, token) == []

    def test_a_pool_without_passkeys_refuses_them(self, make: Make, client: Client) -> None:
        plain = make()
        plain.user()
        with refused("WebAuthnNotEnabledException"):
            options_of(plain, plain.tokens()["AccessToken"])
        nowhere = make(pool_settings={**POLICY, "WebAuthnConfiguration": {}})
        nowhere.user()
        with refused("WebAuthnConfigurationMissingException"):
            options_of(nowhere, nowhere.tokens()["AccessToken"])

    def test_every_operation_needs_a_valid_token(self, client: Client) -> None:
        for name in (
            "StartWebAuthnRegistration",
            "CompleteWebAuthnRegistration",
            "ListWebAuthnCredentials",
            "DeleteWebAuthnCredential",
        ):
            with refused("NotAuthorizedException"):
                client.call(name, AccessToken="a.b.c", **members_of(name, Credential={}, CredentialId="x"))


class TestLogIn:
    @pytest.mark.parametrize("rs256", [False, True])
    def test_the_right_signature_gives_tokens(self, client: Client, token: str, rs256: bool) -> None:
        authenticator = register(client, token, Authenticator(rs256=rs256))
        for _ in range(2):
            tokens = log_in(client, authenticator)["AuthenticationResult"]
            assert client.call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "alice"

    def test_the_browser_gets_the_documented_options(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        _, options = ask(client)
        assert options["rpId"] == "localhost"
        credential = {"type": "public-key", "id": b64url(authenticator.id), "transports": ["internal"]}
        assert options["allowCredentials"] == [credential]
        assert ask(client)[1]["challenge"] != options["challenge"]

    def test_passkeys_are_offered_to_users_who_have_one(self, client: Client, token: str) -> None:
        def offered() -> list[str]:
            reply = client.call(
                "InitiateAuth",
                ClientId=client.client_id,
                AuthFlow="USER_AUTH",
                AuthParameters={"USERNAME": "alice", "PREFERRED_CHALLENGE": "WEB_AUTHN"},
            )
            return list(reply["AvailableChallenges"]) if "AvailableChallenges" in reply else [reply["ChallengeName"]]

        assert offered() == ["PASSWORD", "PASSWORD_SRP"]
        register(client, token)
        assert offered() == ["WEB_AUTHN"]
        factors = client.call("GetUserAuthFactors", AccessToken=token)
        assert factors["ConfiguredUserAuthFactors"] == ["PASSWORD", "WEB_AUTHN"]
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration={"RelyingPartyId": "id.example"})
        assert offered() == ["PASSWORD", "PASSWORD_SRP"]

    def test_a_signature_of_another_key_is_refused_and_ends_the_session(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        thief = Authenticator(id=authenticator.id, sign_count=5)
        thief.user_handle = authenticator.user_handle
        challenge, options = ask(client)
        with refused("NotAuthorizedException", "signature"):
            client.answer(challenge, CREDENTIAL=json.dumps(thief.get(options)))
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(challenge, CREDENTIAL=json.dumps(authenticator.get(options)))

    def test_a_passkey_of_another_user_is_refused(self, client: Client, token: str) -> None:
        register(client, token)
        client.user("bob")
        other = register(client, client.tokens("bob")["AccessToken"])
        with refused("NotAuthorizedException", "the user has no passkey with this id"):
            log_in(client, other)

    def test_an_old_challenge_is_refused(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        _, old = ask(client)
        challenge, _ = ask(client)
        with refused("NotAuthorizedException", "challenge"):
            client.answer(challenge, CREDENTIAL=json.dumps(authenticator.get(old)))

    @pytest.mark.parametrize(
        "changes",
        [
            {"origin": "https://evil.example"},
            {"client_data": {"type": "webauthn.create"}},
            {"client_data": {"crossOrigin": True}},
            {"flags": 0x04},
            {"flags": 0x45},
            {"flags": 0x85},
            {"user_handle": b64url(b"mallory")},
        ],
    )
    def test_wrong_client_data_is_refused(self, client: Client, token: str, changes: dict[str, Any]) -> None:
        authenticator = register(client, token)
        for name, value in changes.items():
            setattr(authenticator, name, value)
        with refused("NotAuthorizedException", "credential|origin"):
            log_in(client, authenticator)

    def test_the_assertion_of_another_relying_party_is_refused(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        challenge, options = ask(client)
        with refused("NotAuthorizedException", "relying party"):
            client.answer(challenge, CREDENTIAL=json.dumps(authenticator.get({**options, "rpId": "id.example"})))

    def test_trailing_bytes_are_refused(self, client: Client, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        authenticator = register(client, token)
        data = authenticator.data
        monkeypatch.setattr(authenticator, "data", lambda party, flags: data(party, flags) + b"more")
        with refused("NotAuthorizedException", "too long"):
            log_in(client, authenticator)

    def test_a_passkey_is_refused_after_the_relying_party_id_of_the_pool_changed(
        self, client: Client, token: str
    ) -> None:
        authenticator = register(client, token, Authenticator(origin="http://app.localhost"))
        challenge, options = ask(client)
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration={"RelyingPartyId": "app.localhost"})
        credential = authenticator.get({**options, "rpId": "app.localhost"})
        with refused("NotAuthorizedException", "no passkey with this id for the relying party"):
            client.answer(challenge, CREDENTIAL=json.dumps(credential))

    def test_a_signature_counter_that_does_not_grow_is_refused(self, client: Client, token: str) -> None:
        authenticator = register(client, token)
        log_in(client, authenticator)
        authenticator.counts = False
        with refused("NotAuthorizedException", "count"):
            log_in(client, authenticator)
        authenticator.sign_count = 0
        with refused("NotAuthorizedException", "count"):
            log_in(client, authenticator)

    def test_an_authenticator_without_a_counter_is_accepted(self, client: Client, token: str) -> None:
        authenticator = register(client, token, Authenticator(counts=False))
        for _ in range(2):
            assert "AuthenticationResult" in log_in(client, authenticator)

    @pytest.mark.parametrize("credential", ["", "{", "[]", "{}", '{"id": 1}', "[" * 100_000])
    def test_a_value_that_is_not_a_credential_is_refused(self, client: Client, token: str, credential: str) -> None:
        register(client, token)
        challenge, _ = ask(client)
        with pytest.raises(ServiceError, match=r"\b(InvalidParameter|NotAuthorized)Exception\b"):
            client.answer(challenge, CREDENTIAL=credential)

    def test_passkeys_are_not_offered_to_users_with_mfa_unless_they_count_as_both_factors(
        self, client: Client, token: str
    ) -> None:
        register(client, token)
        enrol(client)
        reply = client.call(
            "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": "alice"}
        )
        assert reply["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
        with refused("InvalidParameterException", "not available"):
            client.answer(reply, ANSWER="WEB_AUTHN")

    def test_a_passkey_counts_as_both_factors_if_the_pool_says_so(self, client: Client, token: str) -> None:
        secret = enrol(client)
        authenticator = register(client, token)
        config = {"RelyingPartyId": "localhost", "FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}
        client.admin("SetUserPoolMfaConfig", MfaConfiguration="ON", WebAuthnConfiguration=config, **TOTP)
        assert "AuthenticationResult" in log_in(client, authenticator)
        authenticator.flags = 0x01
        with refused("NotAuthorizedException", "verified"):
            log_in(client, authenticator)
        authenticator.flags = 0x05
        challenge, options = ask(client)
        client.admin("SetUserPoolMfaConfig", WebAuthnConfiguration={"RelyingPartyId": "localhost"})
        following = client.answer(challenge, CREDENTIAL=json.dumps(authenticator.get(options)))
        assert following["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        code = totp(secret, client.clock.now)
        assert "AuthenticationResult" in client.answer(following, SOFTWARE_TOKEN_MFA_CODE=code)


class TestCbor:
    values = st.recursive(
        st.integers(-(2**15), 2**15) | st.binary(max_size=300) | st.text(max_size=80),
        lambda inner: st.dictionaries(st.integers(-30, 300) | st.text(max_size=5), inner, max_size=4),
        max_leaves=8,
    )

    @given(values)
    def test_encoded_values_are_decoded_and_the_rest_is_returned(self, value: Any) -> None:
        assert cbor.decode(encode_cbor(value) + b"rest") == (value, b"rest")

    @given(st.binary(max_size=60))
    def test_any_bytes_are_decoded_or_refused(self, data: bytes) -> None:
        try:
            _, rest = cbor.decode(data)
        except ValueError:
            return
        assert data.endswith(rest)

    @pytest.mark.parametrize(
        ("data", "value"),
        [  # RFC 8949, appendix A
            ("00", 0),
            ("1864", 100),
            ("1903e8", 1000),
            ("1a000f4240", 1000000),
            ("1b000000e8d4a51000", 1000000000000),
            ("20", -1),
            ("3903e7", -1000),
            ("f4", False),
            ("f5", True),
            ("f6", None),
            ("4401020304", b"\x01\x02\x03\x04"),
            ("62c3bc", "ü"),
            ("8301820203820405", [1, [2, 3], [4, 5]]),
            ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ],
    )
    def test_decoded_values_equal_the_examples_of_the_rfc(self, data: str, value: object) -> None:
        assert cbor.decode(bytes.fromhex(data)) == (value, b"")

    @pytest.mark.parametrize(
        "data",
        ["", "18", "5f42010243030405ff", "fb3ff199999999999a", "c074", "a1", "a201020103", "a1f500", "62ff", "4401"],
    )
    def test_unsupported_types_are_refused(self, data: str) -> None:
        with pytest.raises(ValueError, match=r"CBOR|decode"):
            cbor.decode(bytes.fromhex(data))

    def test_nesting_and_length_are_limited(self) -> None:
        for data in (b"\x81" * 1000, b"\x9b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8):
            with pytest.raises(ValueError, match="CBOR"):
                cbor.decode(data)


@pytest.mark.counterpart
def test_boto3_registers_lists_logs_in_and_deletes(clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, credentials=KEYS, pool_settings=POLICY)
    client, authenticator = Client(pool, clock), Authenticator()
    client.user()
    token = client.tokens()["AccessToken"]
    with connected(pool) as boto:
        options = boto.start_web_authn_registration(AccessToken=token)["CredentialCreationOptions"]
        boto.complete_web_authn_registration(AccessToken=token, Credential=authenticator.create(options))
        pages = list(
            boto.get_paginator("list_web_authn_credentials").paginate(AccessToken=token)
            if boto.can_paginate("list_web_authn_credentials")
            else [boto.list_web_authn_credentials(AccessToken=token)]
        )
        (shown,) = pages[0]["Credentials"]
        named: dict[str, Any] = {"ClientId": pool.client_id}
        asked = boto.initiate_auth(**named, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": "alice"})
        assert asked["AvailableChallenges"][-1] == "WEB_AUTHN"
        chosen = boto.respond_to_auth_challenge(
            **named,
            ChallengeName="SELECT_CHALLENGE",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "alice", "ANSWER": "WEB_AUTHN"},
        )
        credential = authenticator.get(json.loads(chosen["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"]))
        done = boto.respond_to_auth_challenge(
            **named,
            ChallengeName="WEB_AUTHN",
            Session=chosen["Session"],
            ChallengeResponses={"USERNAME": "alice", "CREDENTIAL": json.dumps(credential)},
        )
        assert done["AuthenticationResult"]["AccessToken"]
        boto.delete_web_authn_credential(AccessToken=token, CredentialId=shown["CredentialId"])
        assert boto.list_web_authn_credentials(AccessToken=token)["Credentials"] == []


@pytest.mark.parametrize("kind", ["neither RSA nor EC", "damaged"])
def test_no_signature_is_right_for_a_key_that_cannot_be_used(kind: str) -> None:
    """Registration and import refuse such a key."""
    key = ed25519.Ed25519PrivateKey.generate()
    encoded = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Refusal, match=f"the public key of the passkey is {kind}"):
        webauthn.check_signature(b"no key" if kind == "damaged" else encoded, key.sign(b"signed"), b"signed")
