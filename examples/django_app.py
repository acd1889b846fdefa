"""A web app with login and a protected view (Django REST framework), in one file.

Run it with ``python django_app.py runserver`` and the variables USER_POOL_ID and CLIENT_ID. COGNITO_URL is the URL of
``srpcore serve``, if that is used instead of AWS.
"""

import os
import sys

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "testserver"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.environ.get("SECRET_KEY", "only for development"),
    )
    django.setup()

from django.core.management import execute_from_command_line
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from srpcore import Cognito, TokenVerifier
from srpcore.exceptions import NotAuthorizedException, SrpcoreError, TransportError, UserNotFoundException
from srpcore.frameworks.rest_framework import CognitoAuthentication

POOL_ID, CLIENT_ID = os.environ["USER_POOL_ID"], os.environ["CLIENT_ID"]
URL = os.environ.get("COGNITO_URL")
verifier = TokenVerifier(POOL_ID, client_id=CLIENT_ID, token_use="access", endpoint_url=URL)


class Authentication(CognitoAuthentication, verifier=verifier):
    """Accepts the access tokens of the user pool."""


class Login(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        with Cognito(POOL_ID, CLIENT_ID, username=request.data.get("username"), endpoint_url=URL) as user:
            try:
                step = user.sign_in(request.data.get("password"))
            except (NotAuthorizedException, UserNotFoundException):
                return Response({"error": "wrong user name or password"}, status=401)
            except TransportError:
                return Response({"error": "the login service cannot be reached: try again later"}, status=503)
            except SrpcoreError as error:
                return Response({"error": f"the login failed: {type(error).__name__}"}, status=400)
            if not step.done:  # examples/fastapi_app.py shows how a second factor is answered in a later request
                return Response({"error": f"this app cannot answer {step.needs}"}, status=403)
            return Response({"access_token": user.tokens.access_token})


class Me(APIView):
    authentication_classes = (Authentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"username": request.user.username})


urlpatterns = [path("login", Login.as_view()), path("me", Me.as_view())]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
