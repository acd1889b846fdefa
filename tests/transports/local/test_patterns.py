"""The service model's patterns, translated from Java's syntax: examples of each, and a slow translation beside the fast one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore_transports.local.api.patterns import STAND_INS, UnknownConstruct, matcher, translate
from srpcore_transports.local.api.shape_types import String
from srpcore_transports.local.api.shapes import SHAPES

PATTERNS = {name: shape.pattern for name, shape in SHAPES.items() if isinstance(shape, String) and shape.pattern}

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"
UUID4 = "0f8fad5b-d9cb-469f-a165-70867728950e"
PRINTABLE = (
    ["a", "Zoë", "用户", "é" * 3, "a@b.c", "€5", "½", "🎉", "a\u0301"],
    ["", " ", "a b", "a\n", "\u00a0", "a\u200b", "\x7f"],
)

# For each pattern: strings that match, and strings that do not.
EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "AWSAccountIdType": (["123456789012"], ["", "12a", "١", "1 "]),
    "AcrLevelKeyType": (["Level1", "Level4"], ["Level5", "level1", "Level11"]),
    "AcrMappingKeyType": (["Level2"], ["Level0"]),
    "AcrValueType": (["urn:mace:silver", "~!"], ['a"b', "a\\b", "a b", "é"]),
    "ArnType": ([ARN, "arn:aws:s3::0:b"], ["", "arn:aws", f"{ARN} ", "x", "arn:aws:iam::abc:role/r"]),
    "AttributeNameType": (["custom:größe", "a b", "a\tb\r\n", "€"], ["", "a\x00", "a\u00a0b", "\u200b"]),
    "AudienceType": (["https://api.example.com"], ['"', "", " "]),
    "CIMDPolicyIdType": (["abc123"], ["ABC", "", "abc\n", "é"]),
    "CIMDPolicyNameType": (["my policy", "é\u00a0é"], ["a\tb", "", "a\n"]),
    "ClientIdType": (["3n4b5urk1ft4", "a+b_"], ["eu-west-1_abc", "", "é", "a b"]),
    "ClientNameType": (["My app, v1.0 @home", "a\nb"], ["app!", "é", ""]),
    "ClientSecretArnType": (
        ["arn:aws:secretsmanager:eu-west-1:123456789012:secret/a"],
        ["arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret/a", ARN],
    ),
    "ClientSecretType": (["abc+123"], ["a-b", ""]),
    "CompletionMessageType": (["Done_1"], ["not done", ""]),
    "ConfirmationCodeType": (["123456", "é"], ["123 456", "", "1\n", "\x0b"]),
    "CustomAttributeNameType": PRINTABLE,
    "DeviceKeyType": (["eu-west-1_0f-9a", "__-"], ["eu-west-1_xyz", "x", "eu-west-1_0F"]),
    "EmailAddressType": (["a@b", "é@ü.example"], ["ab", "a @b", "@"]),
    "EmailInviteMessageType": (["", "Hello {username},\nyour code is {####} *", "é"], ["a\x00", "\u00a0"]),
    "EmailMfaMessageType": (["{####}", "Code: {####}\n"], ["", "{###}", "code {####}\x00"]),
    "EmailMfaSubjectType": (["Your code\n", "é"], ["", "a\x00"]),
    "EmailNotificationBodyType": (["Hello, *you*", "*"], ["", "\x00"]),
    "EmailNotificationSubjectType": (["Sign-in"], ["", "\u00a0"]),
    "EmailVerificationMessageByLinkType": (["{##Verify Email##}", "Click {####} now"], ["{####", "Click {#here#}"]),
    "EmailVerificationMessageType": (["Your code is {####}."], ["Your code"]),
    "EmailVerificationSubjectByLinkType": (["Verify"], [""]),
    "EmailVerificationSubjectType": (["Verify now"], ["\x00"]),
    "EncryptionKeyArnType": (["arn:aws:kms:eu-west-1:123456789012:key/1"], ["key"]),
    "EventIdType": ([UUID4, "a+b"], ["a b", "é", ""]),
    "GetDerivedTokenTokenModelType": (["a.b-c_d+e/f="], ["a b", "", "é"]),
    "GroupNameType": PRINTABLE,
    "HexStringType": (["0aF9"], ["", "0x1", "g", "0a\n"]),
    "IdpIdentifierType": (["My IdP = 1.0 @-_"], ["a,b", "é", ""]),
    "LanguageIdType": (["cognito:english", "cognito:chinese-traditional"], ["cognito:klingon", "english", "cognito:"]),
    "LinkUrlType": (["https://example.com/ü"], ["a b", "", "a\n"]),
    "ManagedLoginBrandingIdType": ([UUID4, UUID4.upper()], [UUID4.replace("-4", "-1"), f"{UUID4}\n", ""]),
    "MetadataURLType": (["https://example.com"], ["http://example.com", "https://", "https://a b", "https://a\n"]),
    "OptionalArnType": (["", ARN], ["arn", " "]),
    "PaginationKey": (["abc=="], ["", "a b"]),
    "PaginationKeyType": (["abc=="], ["", "a b"]),
    "PasswordType": (["correct horse", "ab", "é é", "a\tb"], ["", "a", " ab", "ab ", "ab\n", "a\nb"]),
    "ProviderNameType": (["My IdP", "\u00a0"], ["", "a\n", "a\tb"]),
    "ProviderNameTypeV2": (["Okta", "a_b", "äöü"], ["ab", "_abc", " abc", "abc_", "a\u00a0b", "ab\u00a0"]),
    "RedirectUrlType": (["myapp://callback", "http://localhost:3000/"], ["", "http://a b"]),
    "ResourceIdType": (["my-id 1"], ["a.b", "", "é", "a\n"]),
    "ResourceServerIdentifierType": (["https://api.example.com", "res"], ["a b", 'a"', "\\"]),
    "ResourceServerNameType": (["My API"], ["a/b"]),
    "ResourceServerScopeNameType": (["read", "a.b"], ["a/b", 'a"b', "a b"]),
    "RestoreIdType": (["0f8fad5b-d9cb-469f-a165-70867728950e"], [UUID4.upper(), "x"]),
    "S3ArnType": (["arn:aws:s3:::bucket"], ["arn:aws:s3:eu-west-1::bucket", "bucket"]),
    "S3BucketType": (["", "my.bucket_1"], ["bucket.", "b/c", "b\n"]),
    "SESConfigurationSet": (["my_set-1"], ["", "a.b", "a\n"]),
    "ScopeType": (["openid", "res/read"], ["a b"]),
    "SearchPaginationTokenType": (["x"], [""]),
    "SecretCodeType": (["ABCdef234567"], ["a-b", ""]),
    "SecretHashType": (["q83vEg+/=="], ["a-b", ""]),
    "SessionIdType": (
        ["tkn" + "a1" * 12 + "z", "sso" + "0" * 25],
        ["tkn" + "a" * 24, "abc" + "a" * 25, "tkn" + "A" * 25],
    ),
    "SmsInviteMessageType": (["", "a\nb", "\u2028é\x00"], []),
    "SmsVerificationMessageType": (
        ["{####}", "Code {####}!", "é{####}\x0b"],
        ["", "{#####", "a\n{####}", "{####}\u2028"],
    ),
    "SoftwareTokenMFAUserCodeType": (["123456"], ["12345x", "１２３"]),
    "TermsIdType": ([UUID4], ["x"]),
    "TermsNameType": (["terms-of-use", "privacy-policy"], ["terms", "terms-of-use\n"]),
    "TokenModelType": (["a.b-c_d="], ["a b", "", "a+b", "é"]),
    "URLPatternType": (
        ["https://*.Example.com/[a]", "https://~"],
        ["http://a", "https://a<b", "https://"],
    ),
    "UserImportJobIdType": (["import-Ab-1"], ["import-", "job-1", "import-a_b"]),
    "UserImportJobNameType": (["My job"], ["a/b"]),
    "UserPoolIdType": (["eu-west-1_aB3"], ["eu-west-1", "eu-west-1_a-b", " eu-west-1_a", "eu-west-1_a\n"]),
    "UserPoolNameType": (["my pool, @home=1"], ["my/pool", "é"]),
    "UsernameType": PRINTABLE,
}


def test_every_pattern_has_examples() -> None:
    assert PATTERNS.keys() <= EXAMPLES.keys()
    for name in PATTERNS:
        assert EXAMPLES[name][0], name


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_accepts_and_refuses_its_examples(name: str) -> None:
    matches = matcher(PATTERNS[name])
    accepted, refused = EXAMPLES[name]
    assert [value for value in accepted if not matches(value)] == []
    assert [value for value in refused if matches(value)] == []


def slow_match(pattern: str, value: str) -> bool:
    """Match with classes that list the characters of *value* by their category, instead of stand-ins."""

    def listed(found: re.Match[str]) -> str:
        members = "".join(re.escape(char) for char in set(value) if unicodedata.category(char)[0] == found[1])
        # A class must not be empty: U+FFFFF is a character that no value has.
        return members + "\U000fffff"

    classes = re.sub(r"\\p\{(.)\}", listed, pattern)
    return re.compile(classes, re.ASCII).fullmatch(value) is not None


@pytest.mark.slow
@pytest.mark.parametrize("pattern", sorted({pattern for pattern in PATTERNS.values() if r"\p" in pattern}))
@given(st.data())
def test_stand_ins_do_not_change_what_a_pattern_with_categories_matches(pattern: str, data: st.DataObject) -> None:
    chars = st.characters(exclude_categories=["Cs"], exclude_characters=["\U000fffff"]) | st.sampled_from(
        "aé@*_ \n{#}€½"
    )
    value = data.draw(st.text(chars, max_size=12))
    framed = data.draw(st.sampled_from(["{}", "{}{{####}}{}", "{{##{}##}}", "{}@{}", "abc{}"])).format(value, value)
    assert matcher(pattern)(framed) == slow_match(pattern, framed)


def test_a_stand_in_is_of_its_category_and_not_ascii() -> None:
    for category, char in STAND_INS.items():
        assert unicodedata.category(char)[0] == category
        assert not char.isascii()


def test_a_category_may_stand_outside_a_class() -> None:
    matches = matcher(r"\p{L}\p{N}?")
    assert [value for value in ("a", "é", "é²", "用1", "1", "aa", "") if matches(value)] == ["a", "é", "é²", "用1"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{Lu}+",
        r"\p{IsLatin}",
        r"\P{L}",
        r"[a-z&&[^b]]",
        "[a-z&&b]",
        "[a[bc]]",
        "a++",
        "a*+",
        "a{2}+",
        "(?i)a",
        "(?=a)b",
        "(?<name>a)",
        r"\1",
        r"\Qa\E",
        r"\x80",
        "é",
        "a^b",
        "a$b",
        "a]",
        r"\p{L}.",
    ],
)
def test_an_unknown_construct_is_refused(pattern: str) -> None:
    with pytest.raises(UnknownConstruct):
        translate(pattern)
