"""The example of an AWS Lambda authorizer: the functions run, and the template names what exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import srpcore
import srpcore_transports
from srpcore import Cognito
from srpcore.cli import main
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "lambda_authorizer"
PACKAGES = [str(Path(package.__path__[0]).parent) for package in (srpcore, srpcore_transports)]

# Print what the handler returns for each event, then the modules that were imported.
RUNTIME = """
import importlib, json, sys
name, events = sys.argv[1:]
module, _, function = name.partition(".")
handler = getattr(importlib.import_module(module), function)
print(json.dumps([handler(event, None) for event in json.loads(events)]))
print(json.dumps([*sys.modules]))
"""


def load_template() -> dict[str, Any]:
    """Return the template. The tags of CloudFormation, for example ``!Ref``, are read as the strings after them."""
    yaml: Any = import_module("yaml")  # it has no types
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))
    template: dict[str, Any] = yaml.load((EXAMPLE / "template.yaml").read_text("utf-8"), loader)
    return template


def invoke(folder: Path, handler: str, *events: object, **variables: str) -> tuple[list[dict[str, Any]], set[str]]:
    """Return what a new process with the function in *folder* answers to *events*, and what it imported."""
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([str(folder), *PACKAGES])}
    command = [sys.executable, "-S", "-W", "error", "-c", RUNTIME, handler, json.dumps(events)]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    answers, modules = map(json.loads, done.stdout.splitlines())
    return answers, {*modules}


def request_with(token: str) -> dict[str, Any]:
    return {"version": "2.0", "type": "REQUEST", "routeArn": "arn", "headers": {"authorization": f"Bearer {token}"}}


@pytest.fixture
def pool() -> LocalUserPool:
    pool = LocalUserPool(region="eu-west-1")
    alice = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
    pool.call(Operation("AdminCreateUser", {**alice, "MessageAction": "SUPPRESS"}))
    pool.call(Operation("AdminSetUserPassword", {**alice, "Password": PASSWORD, "Permanent": True}))
    return pool


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load_template()


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


def test_the_functions_accept_a_token_and_greet_its_user(
    pool: LocalUserPool, resources: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pool.serve() as server:
        assert main(["keys", pool.user_pool_id, "--endpoint-url", server.url]) == 0
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
    user.authenticate(PASSWORD)
    token = user.tokens.access_token
    authorizer, hello = (resources[name] for name in ("Authorizer", "Hello"))
    folder = tmp_path / "authorizer"
    shutil.copytree(EXAMPLE / authorizer["CodeUri"], folder)
    (folder / "jwks.json").write_text(capsys.readouterr().out, encoding="utf-8")
    values = {"UserPoolId": pool.user_pool_id, "ClientId": pool.client_id}
    variables = {name: values[value] for name, value in authorizer["Environment"]["Variables"].items()}
    events = [request_with(token), request_with(f"{token[:-8]}AAAAAAAA"), {}]
    (accepted, *refused), modules = invoke(folder, authorizer["Handler"], *events, **variables)
    assert accepted["isAuthorized"]
    assert [answer["isAuthorized"] for answer in refused] == [False, False]
    # With the keys in a file, a cold start opens no connection.
    assert {"socket", "ssl", "srpcore_transports"} & modules == set()
    event = {"requestContext": {"authorizer": {"lambda": accepted["context"]}}}
    ((greeting,), _) = invoke(EXAMPLE / hello["CodeUri"], hello["Handler"], event)
    assert (greeting["statusCode"], json.loads(greeting["body"])) == (200, {"message": "Hello, alice"})


def test_the_authorizer_can_be_tried_with_a_served_pool(
    pool: LocalUserPool, resources: dict[str, Any], tmp_path: Path
) -> None:
    authorizer = resources["Authorizer"]
    folder = tmp_path / "authorizer"
    shutil.copytree(EXAMPLE / authorizer["CodeUri"], folder)
    with pool.serve() as server:
        assert (
            main(["keys", pool.user_pool_id, "--endpoint-url", server.url, "--output", str(folder / "jwks.json")]) == 0
        )
        with Cognito(pool.user_pool_id, pool.client_id, username="alice", endpoint_url=server.url) as user:
            user.authenticate(PASSWORD)
    ids = {"USER_POOL_ID": pool.user_pool_id, "CLIENT_ID": pool.client_id}
    event = request_with(user.tokens.access_token)
    ((accepted,), _) = invoke(folder, authorizer["Handler"], event, **ids, COGNITO_URL=server.url)
    ((refused,), _) = invoke(folder, authorizer["Handler"], event, **ids)  # AWS is the only issuer
    assert (accepted["isAuthorized"], refused["isAuthorized"]) == (True, False)


def test_the_parameters_of_the_template_fit_the_ids_of_a_pool(pool: LocalUserPool, template: dict[str, Any]) -> None:
    parameters = template["Parameters"]
    assert re.fullmatch(parameters["UserPoolId"]["AllowedPattern"], pool.user_pool_id)
    assert re.fullmatch(parameters["ClientId"]["AllowedPattern"], pool.client_id)


def test_the_layer_in_the_template_is_built_for_the_runtime_of_the_functions(
    template: dict[str, Any], resources: dict[str, Any]
) -> None:
    runtime, layer = template["Globals"]["Function"]["Runtime"], resources["SrpcoreLayer"]
    assert layer["ContentUri"] == f"../../dist/srpcore-layer-verifier-{runtime}.zip"
    assert layer["CompatibleRuntimes"] == [runtime]
    readme = (EXAMPLE / "README.md").read_text("utf-8")
    assert f"make lambda-layer PYTHON={runtime} " in readme
    assert f"dist/srpcore-layer-verifier-{runtime}.zip" in readme


def test_the_cache_key_of_the_authorizer_is_the_header_with_the_token(resources: dict[str, Any]) -> None:
    authorizer = resources["Api"]["Auth"]["Authorizers"]["Cognito"]
    assert authorizer["Identity"]["Headers"] == ["Authorization"]
    # What HttpApiAuthorizer answers by default.
    assert (authorizer["AuthorizerPayloadFormatVersion"], authorizer["EnableSimpleResponses"]) == ("2.0", True)
