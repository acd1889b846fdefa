"""The shared files: botocore finds the same credentials in the same files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError
from srpcore_transports.credentials import Credentials, DefaultCredentials, profile_region
from srpcore_transports.credentials.profiles import load_profile

SECRET = "hunter2"
Sections = Mapping[str, Mapping[str, str]]
Machine = tuple[Sections, Sections, Mapping[str, str]]

BY_BOTOCORE = Credentials("BY-BOTOCORE", "x")
OURS = {"env", "shared-credentials-file", "config-file"}

# What goes together; each may be there or not, and any mixture may.
PIECES: list[dict[str, str]] = [
    {"aws_access_key_id": "AKID", "aws_secret_access_key": SECRET},
    {"aws_access_key_id": "AKID2", "aws_secret_access_key": "other"},
    {"aws_access_key_id": "ALONE"},
    {"aws_secret_access_key": "alone"},
    {"aws_session_token": "token"},
    {"aws_security_token": "older"},
    {"region": "eu-west-1"},
    {"role_arn": "arn:aws:iam::123456789012:role/r"},
    {"source_profile": "work"},
    {"credential_source": "Environment"},
    {"web_identity_token_file": "/nowhere/token"},
    {"web_identity_token_file": ""},
    {"sso_start_url": "https://a.example", "sso_region": "eu-west-1"},
    {"sso_account_id": "1"},
    {"sso_role_name": "r"},
    {"sso_session": "s"},
    {"login_session": "arn:aws:sts::123456789012:assumed-role/r/s"},
    {"credential_process": "/bin/cat process.json"},
    {"s3": "\n  signature_version = s3v4\n  region = nested"},
]
TITLES = ["default", "work", "profile work", 'profile "work"', "profile default", "profile  work", "profile 'a b'", "profilework", "profiles work", "a b", "profile work too", "profile 'work", "DEFAULT", "sso-session s", "Work"]  # fmt: skip
NAMES = ["work", "work", "work", "default", "default", "a b", "Work", "profile work", "nobody"]


def merged(pieces: list[dict[str, str]]) -> dict[str, str]:
    return {name: value for piece in pieces for name, value in piece.items()}


KEYS = st.sampled_from(PIECES[:2])
SECTION = st.one_of(KEYS, st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(merged))
SOME = st.dictionaries(st.sampled_from(TITLES), SECTION, max_size=5)
USUAL = st.fixed_dictionaries({"default": SECTION}, optional={"work": SECTION, "profile work": SECTION})
FILE = st.one_of(USUAL, SOME, st.builds(lambda usual, some: {**some, **usual}, USUAL, SOME))
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "AWS_PROFILE": st.sampled_from(NAMES),
        "AWS_DEFAULT_PROFILE": st.sampled_from(NAMES),
        "AWS_WEB_IDENTITY_TOKEN_FILE": st.sampled_from(["", "/nowhere/token"]),
        "AWS_ROLE_ARN": st.just("arn:aws:iam::123456789012:role/r"),
    },
)


def ini(sections: Sections) -> str:
    lines = ["# a comment"]
    for title, section in sections.items():
        lines += [f"[{title}]", *(f"{name} = {value}" for name, value in section.items()), ""]
    return "\n".join(lines)


class MachineWith:
    """A machine with these files and variables, and nothing else of the one that runs the tests."""

    def __init__(self, shared: str | None, config: str | None, variables: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / ".aws").mkdir()
        for name, content in (("credentials", shared), ("config", config)):
            if content is not None:
                (folder / ".aws" / name).write_text(content, encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environ = {**kept, "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", **variables}
        self._environ = patch.dict(os.environ, environ, clear=True)

    def __enter__(self) -> None:
        self._environ.start()

    def __exit__(self, *_: object) -> None:
        self._environ.stop()
        self._folder.cleanup()


def of_botocore() -> Credentials | type[Exception] | None:
    """Return what botocore finds: BY_BOTOCORE for what only it can do, an error's type, or None for nothing."""
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        found: Any = botocore.session.Session().get_credentials()
    except (BotoCoreError, OSError, ValueError) as error:
        return type(error)
    if found is None:
        return None
    if found.method not in OURS:
        return BY_BOTOCORE
    return Credentials(found.access_key, found.secret_key, found.token)


def of_ours() -> Credentials | type[Exception] | None:
    with patch("srpcore_transports.credentials.chain.resolve_by_botocore", lambda region: lambda: BY_BOTOCORE):
        try:
            return DefaultCredentials()()
        except ConfigurationError as error:
            if SECRET in str(error):
                raise AssertionError("a secret is quoted") from None
            return None if "there are no AWS credentials" in str(error) else ConfigurationError


@pytest.mark.counterpart
@settings(max_examples=150)
@given(st.one_of(st.none(), FILE), st.one_of(st.none(), FILE), VARIABLES)
@example({"default": PIECES[0]}, {"default": PIECES[7] | PIECES[8]}, {})
@example({"default": PIECES[0]}, {"default": PIECES[10] | PIECES[7]}, {})
@example({"default": PIECES[0]}, {"default": PIECES[13]}, {})
@example({"default": PIECES[0]}, {"default": PIECES[14]}, {})
@example({"default": PIECES[0]}, {"default": PIECES[16] | PIECES[17]}, {})
@example(None, {"default": PIECES[0] | PIECES[16]}, {})
@example(None, {"default": PIECES[0] | PIECES[17]}, {})
@example(None, {"default": PIECES[0] | PIECES[8] | PIECES[12]}, {})
@example(None, {"default": PIECES[0] | PIECES[10]}, {"AWS_WEB_IDENTITY_TOKEN_FILE": ""})
@example({"work": PIECES[1]}, {"default": PIECES[0]}, {"AWS_PROFILE": "work"})
@example({"work": PIECES[1]}, {"default": PIECES[0]}, {"AWS_PROFILE": "work", "AWS_DEFAULT_PROFILE": "default"})
@example(None, {"default": PIECES[0], "profile default": PIECES[1]}, {})
@example(None, {"DEFAULT": PIECES[0], "profile work": {}}, {"AWS_PROFILE": "work"})
@example({"default": PIECES[0] | PIECES[4] | PIECES[5]}, None, {})
@example({"default": PIECES[2]}, {"default": PIECES[0]}, {})
@example({}, {}, {"AWS_PROFILE": "default"})
def test_credentials_of_files_equal_those_of_botocore(
    shared: Sections | None, config: Sections | None, variables: Mapping[str, str]
) -> None:
    files = (None if shared is None else ini(shared), None if config is None else ini(config))
    with MachineWith(*files, variables):
        oracle, ours = of_botocore(), of_ours()
    if isinstance(oracle, type):
        # What it found and could not use we hand to it. Half of a pair may be either's to refuse.
        ours_to_refuse = oracle.__name__ in ("ProfileNotFound", "PartialCredentialsError")
        its_to_refuse = oracle.__name__ != "ProfileNotFound"
        assert (ours is ConfigurationError and ours_to_refuse) or (ours == BY_BOTOCORE and its_to_refuse)
    else:
        assert ours == oracle


@pytest.mark.counterpart
@settings(max_examples=80)
@given(st.one_of(st.none(), FILE), st.one_of(st.none(), FILE), VARIABLES)
@example({"default": {"region": "eu-west-1"}}, {"default": {"region": "eu-west-2"}}, {})
@example({"default": {"region": "eu-west-1"}, "work": {"region": "eu-west-2"}}, None, {"AWS_PROFILE": "work"})
@example({"default": {"region": "eu-west-1"}, "work": {"region": "eu-west-2"}}, None, {"AWS_DEFAULT_PROFILE": "work"})
@example({"profile work": {"region": "eu-west-1"}}, {"profile work": {"region": "eu-west-2"}}, {"AWS_PROFILE": "work"})
def test_the_region_equals_that_of_botocore(
    shared: Sections | None, config: Sections | None, variables: Mapping[str, str]
) -> None:
    import botocore.session
    from botocore.exceptions import ProfileNotFound

    files = (None if shared is None else ini(shared), None if config is None else ini(config))
    with MachineWith(*files, variables):
        try:
            region = botocore.session.Session().get_config_variable("region")
        except ProfileNotFound:
            region = None
        assert profile_region() == region


@pytest.mark.counterpart
@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_SHARED_CREDENTIALS_FILE": "~/elsewhere"},
        {"AWS_SHARED_CREDENTIALS_FILE": "$HOME/elsewhere"},
        {"AWS_SHARED_CREDENTIALS_FILE": "${HOME}/elsewhere"},
        {"AWS_SHARED_CREDENTIALS_FILE": "~/.aws"},
        {"AWS_SHARED_CREDENTIALS_FILE": ""},
        {"AWS_SHARED_CREDENTIALS_FILE": "~nobody-of-that-name/file"},
        {"AWS_CONFIG_FILE": "~/elsewhere", "AWS_SHARED_CREDENTIALS_FILE": "~/nothing"},
        {"AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"},
    ],
)
def test_the_paths_of_the_files_equal_those_of_botocore(variables: dict[str, str]) -> None:
    with MachineWith(ini({"default": PIECES[0]}), None, variables):
        (Path.home() / "elsewhere").write_text(ini({"default": PIECES[1]}))
        assert of_ours() == of_botocore()
        assert of_ours() in (Credentials("AKID2", "other"), None)


@pytest.mark.parametrize(
    "content",
    [
        f"aws_secret_access_key = {SECRET}\n[default]\n",
        f"[default]\n{SECRET}\n",
        f"[default]\naws_secret_access_key = {SECRET}\naws_secret_access_key = {SECRET}\n",
        f"[default]\n[default]\naws_secret_access_key = {SECRET}\n",
        f"[default\naws_secret_access_key = {SECRET}\n",
    ],
)
@pytest.mark.parametrize("position", [0, 1])
def test_an_invalid_file_is_named_and_not_quoted(content: str, position: int) -> None:
    with MachineWith(None if position else content, content if position else None, {}):
        for look in (DefaultCredentials(), profile_region):
            with pytest.raises(ConfigurationError, match=r"~/\.aws/c") as caught:
                look()
            assert SECRET not in str(caught.value)
            assert caught.value.__suppress_context__


def test_a_file_that_cannot_be_decoded_is_an_error() -> None:
    with MachineWith(None, None, {}):
        (Path.home() / ".aws" / "config").write_bytes(b"[default]\nregion = \xff\xfe\n")
        with pytest.raises(ConfigurationError, match="UnicodeDecodeError"):
            DefaultCredentials()()


def test_the_error_for_half_a_pair_names_the_missing_key() -> None:
    with (
        MachineWith(ini({"work": PIECES[2]}), None, {"AWS_PROFILE": "work"}),
        pytest.raises(ConfigurationError, match=r"profile 'work' has .* no aws_secret_access_key"),
    ):
        DefaultCredentials()()


@pytest.mark.parametrize("value", ["", "two words", "nön-ascii"])
def test_invalid_keys_are_refused(value: str) -> None:
    section = {"aws_access_key_id": "AKID", "aws_secret_access_key": value}
    with (
        MachineWith(ini({"default": section}), None, {}),
        pytest.raises(ConfigurationError, match="secret_access_key must be a string"),
    ):
        DefaultCredentials()()


def test_a_missing_profile_is_an_error() -> None:
    with MachineWith(ini({"default": PIECES[0]}), None, {"AWS_PROFILE": "nobody"}):
        with pytest.raises(ConfigurationError, match=r"no profile 'nobody'.*~/\.aws/credentials \(read\).*not there"):
            DefaultCredentials()()
        assert profile_region() is None
        os.environ.update({"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"})
        assert DefaultCredentials()() == Credentials("AKIDENV", "s")


def test_the_repr_does_not_show_secrets() -> None:
    with MachineWith(ini({"default": PIECES[0]}), ini({"default": PIECES[0]}), {}):
        assert SECRET not in repr(load_profile())
        provider = DefaultCredentials()
        provider()
        assert SECRET not in repr(provider)
