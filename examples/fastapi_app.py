"""A web app with login, a second factor, and protected routes (FastAPI).

A login may need several requests of the browser: the password, then a code. Between them the app keeps the unfinished
login as JSON, under a random number in a cookie::

    POST /login   {"username": ..., "password": ...}   -> {"needs": "code"}, or the user if no second factor is needed
    POST /answer  {"code": "123456"}                   -> the user
    POST /answer  {"new_password": ...}                -> the same, if /login returned {"needs": "new_password"}
    GET  /me                                           -> the user, from the verified token in the cookie
    POST /logout

Run it with ``uvicorn fastapi_app:app`` and the variables USER_POOL_ID and CLIENT_ID. COGNITO_URL is the URL of
``srpcore serve``, if that is used instead of AWS.
"""

import logging
import os
import secrets
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import HTTPConnection

from srpcore import AsyncCognito, AsyncSignIn, AsyncTokenVerifier
from srpcore.exceptions import (
    CodeMismatchException,
    ExpiredCodeException,
    InvalidPasswordException,
    NotAuthorizedException,
    SrpcoreError,
    TransportError,
    UserNotConfirmedException,
    UserNotFoundException,
)
from srpcore.frameworks.fastapi import CognitoBearer
from srpcore.tokens import Claims

POOL_ID, CLIENT_ID = os.environ["USER_POOL_ID"], os.environ["CLIENT_ID"]
URL = os.environ.get("COGNITO_URL")

app = FastAPI()
logger = logging.getLogger(__name__)
verifier = AsyncTokenVerifier(POOL_ID, client_id=CLIENT_ID, token_use="access", endpoint_url=URL)

# The unfinished logins: with more than one process, keep them in a database, for at most three minutes.
unfinished: dict[str, str] = {}


def token_in_cookie(connection: HTTPConnection) -> str | None:
    return connection.cookies.get("access_token")


User = Annotated[Claims, Depends(CognitoBearer(verifier, get_token=token_in_cookie))]


class Password(BaseModel):
    username: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)


class Answer(BaseModel):
    """What the step needs: each field has the name that ``step.needs`` returns."""

    code: SecretStr | None = Field(None, min_length=1)
    new_password: SecretStr | None = Field(None, min_length=1)


def client(username: str | None = None) -> AsyncCognito:
    return AsyncCognito(POOL_ID, CLIENT_ID, username=username, endpoint_url=URL)


def next_page(user: AsyncCognito, step: AsyncSignIn, response: Response) -> dict[str, str | None]:
    """Return what the browser needs next: another answer, or nothing more, because the user is logged in."""
    if not step.done:
        number = secrets.token_urlsafe(32)
        unfinished[number] = step.to_json()
        response.set_cookie("login", number, httponly=True, secure=True, samesite="strict", max_age=180)
        return {"needs": step.needs, "sent_to": step.destination}
    response.delete_cookie("login")
    response.set_cookie("access_token", user.tokens.access_token, httponly=True, secure=True, samesite="strict")
    return {"username": user.username}


@app.post("/login")
async def login(given: Password, response: Response) -> dict[str, str | None]:
    async with client(given.username) as user:
        try:
            step = await user.sign_in(given.password.get_secret_value())
        except (NotAuthorizedException, UserNotFoundException) as error:
            raise HTTPException(401, "wrong user name or password") from error
        except UserNotConfirmedException as error:
            raise HTTPException(403, "confirm your registration first") from error
        return next_page(user, step, response)


@app.post("/answer")
async def answer(given: Answer, response: Response, login: Annotated[str, Cookie()] = "") -> dict[str, str | None]:
    if login not in unfinished:
        raise HTTPException(401, "the login has ended: begin again")
    async with client() as user:
        step = await user.resume_sign_in(unfinished[login])
        try:
            if step.needs == "code" and given.code is not None:
                # Many apps show the code with a blank: 123 456.
                step = await step.answer(code=given.code.get_secret_value().replace(" ", ""))
            elif step.needs == "new_password" and given.new_password is not None:
                step = await step.answer(new_password=given.new_password.get_secret_value())
            else:
                raise HTTPException(422, f"this step needs {step.needs}")
        except CodeMismatchException as error:  # the step may be answered again, so the app keeps it
            raise HTTPException(422, "wrong code: enter the newest one") from error
        except ExpiredCodeException as error:  # the step is kept here too
            raise HTTPException(422, "that code was used or has expired: wait for the next one") from error
        except InvalidPasswordException as error:  # and here
            raise HTTPException(422, f"choose another password: {error.message}") from error
        except NotAuthorizedException as error:
            unfinished.pop(login, None)
            raise HTTPException(401, "the login has ended: begin again") from error
        unfinished.pop(login, None)
        return next_page(user, step, response)


@app.exception_handler(SrpcoreError)
async def other_error(request: Request, error: SrpcoreError) -> JSONResponse:
    """Answer any other error of a login: 503 if the service could not be reached, 400 if it refused the request."""
    logger.warning("%s failed: %s", request.url.path, error)
    if isinstance(error, TransportError):
        return JSONResponse({"detail": "the login service cannot be reached: try again later"}, 503)
    return JSONResponse({"detail": f"the login failed: {type(error).__name__}"}, 400)


@app.get("/me")
async def me(claims: User) -> dict[str, str]:
    return {"username": claims["username"]}


@app.post("/logout")
async def logout(response: Response) -> None:
    response.delete_cookie("access_token")
