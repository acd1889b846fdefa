"""A web app with login and a protected route (Flask).

Run it with ``flask --app flask_app run`` and the variables USER_POOL_ID and CLIENT_ID. COGNITO_URL is the URL of
``srpcore serve``, if that is used instead of AWS.
"""

import os

from flask import Flask, Response, g, jsonify, request

from srpcore import Cognito, TokenVerifier
from srpcore.exceptions import NotAuthorizedException, SrpcoreError, TransportError, UserNotFoundException
from srpcore.frameworks.flask import bearer_token

POOL_ID, CLIENT_ID = os.environ["USER_POOL_ID"], os.environ["CLIENT_ID"]
URL = os.environ.get("COGNITO_URL")

app = Flask(__name__)
verifier = TokenVerifier(POOL_ID, client_id=CLIENT_ID, token_use="access", endpoint_url=URL)


@app.post("/login")
def login() -> tuple[Response, int]:
    with Cognito(POOL_ID, CLIENT_ID, username=request.json.get("username"), endpoint_url=URL) as user:
        try:
            step = user.sign_in(request.json.get("password"))
        except (NotAuthorizedException, UserNotFoundException):
            return jsonify(error="wrong user name or password"), 401
        if not step.done:  # examples/fastapi_app.py shows how a second factor is answered in a later request
            return jsonify(error=f"this app cannot answer {step.needs}"), 403
        return jsonify(access_token=user.tokens.access_token), 200


@app.errorhandler(SrpcoreError)
def other_error(error: SrpcoreError) -> tuple[Response, int]:
    app.logger.warning("%s failed: %s", request.path, error)
    if isinstance(error, TransportError):
        return jsonify(error="the login service cannot be reached: try again later"), 503
    return jsonify(error=f"the login failed: {type(error).__name__}"), 400


@app.get("/me")
@bearer_token(verifier)
def me() -> Response:
    return jsonify(username=g.claims["username"])
