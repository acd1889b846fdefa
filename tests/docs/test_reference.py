"""The API reference lists the public names and no others, and each of them has a docstring and typed parameters."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore import exceptions
from support.public_surface import exports, functions, identity, objects

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
DIRECTIVE = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
DOCUMENTED = [name for page in sorted(REFERENCE.glob("*.md")) for name in DIRECTIVE.findall(page.read_text("utf-8"))]

PYCOGNITO = "pycognito's signature: programs pass, and get, objects of their own classes"
BOTO3 = "an object or argument of boto3, on which srpcore does not depend, or a client that stands in for it"
JSON = "the members of a JSON object may have any type"
FRAMEWORK = "the framework's signature, which is not typed"

# Each function that has Any in its signature, with the parameters ("return" for the result) and the reason.
ANY: dict[str, tuple[str, str]] = {
    "srpcore.aws_srp.client.AWSSRP.process_challenge": ("challenge_parameters", PYCOGNITO),
    "srpcore.aws_srp.client.AWSSRP.process_device_challenge": ("challenge_parameters", PYCOGNITO),
    "srpcore.client.async_base.AsyncCognitoBase.client": ("return", BOTO3),
    "srpcore.client.base.CognitoBase.client": ("return", BOTO3),
    "srpcore.client.keys.KeyMethods.get_key": ("return", JSON),
    "srpcore.client.keys.KeyMethods.get_keys": ("return", JSON),
    "srpcore.client.keys.KeyMethods.verify_token": ("return", JSON),
    "srpcore.client.operations.directory.SharedDirectory.get_group_obj": ("group_data", PYCOGNITO),
    "srpcore.client.operations.profile.SharedProfile.get_user_obj": ("metadata", PYCOGNITO),
    "srpcore.exceptions.challenges.MFAChallengeException.__init__": ("tokens args", PYCOGNITO),
    "srpcore.exceptions.challenges.MFAChallengeException.get_tokens": ("return", PYCOGNITO),
    "srpcore.exceptions.service.ServiceError.__init__": ("response", JSON),
    "srpcore.frameworks.aws_lambda.AppSyncAuthorizer.__call__": ("return", JSON),
    "srpcore.frameworks.aws_lambda.HttpApiAuthorizer.__call__": ("return", JSON),
    "srpcore.frameworks.aws_lambda.RestApiAuthorizer.__call__": ("return", JSON),
    "srpcore.frameworks.fastapi.CognitoBearer.__call__": ("return", JSON),
    "srpcore.frameworks.fastapi.OptionalCognitoBearer.__call__": ("return", JSON),
    "srpcore.frameworks.rest_framework.CognitoAuthentication.authenticate": ("request return", FRAMEWORK),
    "srpcore.frameworks.rest_framework.CognitoAuthentication.authenticate_header": ("request", FRAMEWORK),
    "srpcore.frameworks.rest_framework.CognitoAuthentication.get_token": ("request", FRAMEWORK),
    "srpcore.frameworks.rest_framework.CognitoAuthentication.get_user": ("return", FRAMEWORK),
    "srpcore.frameworks.starlette.CognitoBearer.__call__": ("return", JSON),
    "srpcore.frameworks.starlette.OptionalCognitoBearer.__call__": ("return", JSON),
    "srpcore.frameworks.starlette.CognitoUser.__init__": ("claims", JSON),
    "srpcore.store.record.Login.to_dict": ("return", JSON),
    "srpcore.client.login_tokens.LoginTokens.to_dict": ("return", JSON),
    "srpcore.store.record.Tokens.to_dict": ("return", JSON),
    "srpcore.tokens.jws.Jws.claims": ("return", JSON),
    "srpcore.users.GroupObj.__init__": ("group_data", PYCOGNITO),
    "srpcore.users._User.__init__": ("cognito_obj metadata", PYCOGNITO),
    "srpcore.users.cognito_to_dict": ("return", PYCOGNITO),
    "srpcore.users.dict_to_cognito": ("return", PYCOGNITO),
    "srpcore.utils.RequestsSrpAuth.__call__": ("request return", PYCOGNITO),
    "srpcore_transports.botocore.BotocoreTransport.__init__": ("client_or_session client_arguments", BOTO3),
    "srpcore_transports.botocore.BotocoreTransport.botocore_client": ("return", BOTO3),
    "srpcore_transports.botocore.make_client": ("session arguments return", BOTO3),
}

FUNCTIONS = functions()
DESCRIBED = {
    path: value
    for path, value in {**objects(), **FUNCTIONS}.items()
    if (inspect.isclass(value) or inspect.isfunction(value)) and not value.__name__.startswith("__")
}
THIRD_PERSON = re.compile(
    r"(Adds|Answers|Builds|Calls|Checks|Creates|Deletes|Gets|Keeps|Makes|Raises|Reads|Returns|Sends|Sets|Verifies|Yields)\b"
)


def without_dunders(signatures: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Leave out the special methods that nobody calls by name, such as ``__reduce__``."""
    return {
        path: function
        for path, function in signatures.items()
        if not function.__name__.startswith("__") or function.__name__ in ("__init__", "__call__")
    }


def parameters_with_any(function: Callable[..., Any]) -> list[str]:
    signature = inspect.signature(function)
    annotations = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    annotations["return"] = signature.return_annotation
    return [name for name, annotation in annotations.items() if re.search(r"\bAny\b", str(annotation))]


def raised(function: Callable[..., Any]) -> set[str]:
    """Return the names of the exceptions of srpcore that the code of *function* itself raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    values = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {ast.unparse(value.func if isinstance(value, ast.Call) else value) for value in values if value}
    return {name for name in names if isinstance(getattr(exceptions, name, None), type)}


def split(name: str) -> tuple[str, str]:
    """Return the module and the rest of a documented name; the rest is empty for a module."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, rest = name.rpartition(".")
        return module, rest
    return name, ""


def test_the_reference_documents_the_public_names_and_no_others() -> None:
    documented = {identity(*split(name)) for name in DOCUMENTED if split(name)[1]}
    assert documented == set(objects())


def test_the_reference_introduces_public_modules_only() -> None:
    introduced = {name for name in DOCUMENTED if not split(name)[1]}
    assert introduced <= exports().keys()
    packages = {name for name, names in exports().items() if not names}
    assert packages <= introduced, "the docstring of a package of modules would be shown nowhere"


def test_the_reference_documents_nothing_twice() -> None:
    names = [(identity(*split(name)), name.rpartition(".")[2]) for name in DOCUMENTED if split(name)[1]]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def fault_of_the_first_line(docstring: str | None) -> str:
    """Return what is wrong with the first line of *docstring*, or an empty string."""
    if not docstring:
        return "no docstring"
    first_line = docstring.splitlines()[0]
    if not re.match(r"[A-Z`*:]", first_line):
        return f"does not start with a capital letter: {first_line}"
    if not first_line.endswith("."):
        return f"does not end with a full stop: {first_line}"
    return f"use the imperative: {first_line}" if THIRD_PERSON.match(first_line) else ""


# One test for all paths: there are hundreds of them, and a test of pytest takes longer than the check of a docstring.


def test_the_first_line_of_each_docstring_is_a_sentence() -> None:
    faults = {path: fault_of_the_first_line(inspect.getdoc(value)) for path, value in DESCRIBED.items()}
    assert {path: fault for path, fault in faults.items() if fault} == {}


def test_any_is_in_the_listed_signatures_only() -> None:
    found = {path: " ".join(parameters_with_any(function)) for path, function in without_dunders(FUNCTIONS).items()}
    assert {path: names for path, names in found.items() if names} == {path: names for path, (names, _) in ANY.items()}


def raises_section(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("Raises:")[2]


def undocumented(function: Callable[..., Any]) -> set[str]:
    """Return the names of the exceptions that *function* itself raises and does not document."""
    documented = (getattr(exceptions, name, ()) for name in re.findall(r"[A-Z]\w+", raises_section(function)))
    kinds = tuple(kind for kind in documented if isinstance(kind, type))
    return {name for name in raised(function) if not issubclass(getattr(exceptions, name), kinds)}


def test_what_a_function_raises_itself_is_documented() -> None:
    named = {path: function for path, function in FUNCTIONS.items() if not path.rpartition(".")[2].startswith("__")}
    found = {path: undocumented(function) for path, function in named.items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_function_that_documents_an_error_of_the_service_also_documents_that_it_may_not_answer() -> None:
    sections = {path: raises_section(function) for path, function in FUNCTIONS.items()}
    assert [
        path for path, section in sections.items() if "ServiceError:" in section and "TransportError:" not in section
    ] == []


def test_a_signature_shows_a_flow_only_if_the_function_returns_one() -> None:
    shown = [function for function in FUNCTIONS.values() if "Flow[" in str(inspect.signature(function))]
    assert [function.__qualname__ for function in shown if not inspect.isgeneratorfunction(function)] == []
