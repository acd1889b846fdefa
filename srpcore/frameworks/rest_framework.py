"""Django REST framework: an authentication class. Subclass it with a verifier, and again with stricter overrides.

::

    class Authentication(CognitoAuthentication, verifier=TokenVerifier("eu-west-1_AbCd12345", ...)): ...

    class Writers(Authentication, scope="orders/write"): ...

    class Orders(APIView):
        authentication_classes = [Writers]
        permission_classes = [IsAuthenticated]  # without it requests without a token are accepted
"""

# The framework has no type annotations, and what pyright infers from its code is wrong: a method that only passes seems
# to return None.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from ..exceptions import ConfigurationError
from ..tokens.claims import Claims
from ..tokens.overrides import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import (
    Refused,
    bearer_token,
    check_overrides,
    require_sync_verifier,
    token_or_none,
    translate_errors,
)
from .principal import groups, subject, username

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["CognitoAuthentication", "Principal"]


@dataclass(frozen=True)
class Principal:
    """The user of a verified token, instead of a Django user. It needs no database. ``pk`` is the claim ``sub``."""

    pk: str
    username: str
    groups: tuple[str, ...]
    claims: Claims = field(repr=False, compare=False)
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.username


class CognitoAuthentication(BaseAuthentication):
    """Authenticate by bearer token: ``request.auth`` is the claims, and ``request.user`` the user.

    Subclass it with ``verifier=``, a TokenVerifier. Further arguments, for example ``scope=``, replace arguments of the
    same name of the verifier. A subclass of the subclass can add or replace some of them.

    The framework passes a request without a bearer token to the next authentication class, and accepts it in the end
    unless a permission class refuses it. So add ``IsAuthenticated`` to ``DEFAULT_PERMISSION_CLASSES``.

    Raises:
        ConfigurationError: when the class is defined, the verifier or an override has a wrong type or value; when a
            request arrives, the class has no verifier.
    """

    verifier: ClassVar[TokenVerifier | None] = None
    _token_overrides: ClassVar[Overrides] = {}

    def __init_subclass__(cls, *, verifier: TokenVerifier | None = None, **overrides: Unpack[Overrides]) -> None:
        super().__init_subclass__()
        misplaced = sorted(Overrides.__annotations__.keys() & vars(cls).keys())
        if misplaced:
            # An attribute with this name would have no effect, and the author would believe that the scope is required.
            name = misplaced[0]
            raise ConfigurationError(f"{name} must not be an attribute: write class Name(Base, {name}=...)")
        inherited: dict[str, object] = {}
        for base in cls.__bases__:
            settings = {"verifier": getattr(base, "verifier", None), **getattr(base, "_token_overrides", {})}
            for name, value in settings.items():
                given = verifier is not None if name == "verifier" else name in overrides
                if value != inherited.setdefault(name, value) and not given:
                    raise ConfigurationError(
                        f"base classes have different values of {name}: add {name}=... to the class"
                    )
        if verifier is not None:
            cls.verifier = verifier
        if cls.verifier is not None:
            require_sync_verifier(cls.verifier)
        del inherited["verifier"]
        cls._token_overrides = cast(Overrides, {**inherited, **check_overrides(overrides)})

    def __init__(self) -> None:
        if self.verifier is None:
            raise ConfigurationError("authentication class has no verifier: pass verifier=TokenVerifier(...) to it")

    def authenticate(self, request: Any) -> tuple[Any, Claims] | None:
        """Return the user and the claims of the token in *request*, or None if it has no bearer token.

        Raises:
            AuthenticationFailed: the token is not accepted (401).
            PermissionDenied: the token lacks a required group or scope (403).
            APIException: the key set could not be fetched, so the token was not verified (503).
            ConfigurationError: ``get_token`` returned neither a string nor None.
        """
        try:
            with translate_errors():
                token = token_or_none(self.get_token(request))
                if token is None:
                    return None
                claims = cast(TokenVerifier, self.verifier).verify(token, **self._token_overrides)
                user = self.get_user(claims)
        except Refused as refused:
            raise _ERRORS[refused.status](refused) from refused.__cause__
        if user is None or not getattr(user, "is_active", True):
            raise AuthenticationFailed("the user of the token does not exist or is not active")
        return user, claims

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002 - the framework's signature
        """Return ``Bearer``. Without this value the framework would answer 403 instead of 401."""
        return "Bearer"

    def get_token(self, request: Any) -> str | None:
        """Return the bearer token in the Authorization header of *request*, or None.

        Override it to read the token from elsewhere, for example ``request.COOKIES.get("access_token")``. Browsers send
        cookies with requests of other sites too: this class does not protect the views against them (CSRF).

        Raises:
            MalformedToken: the header has the scheme ``Bearer``, but does not contain exactly one token.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        return bearer_token([] if header is None else [header])

    def get_user(self, claims: Claims) -> Any:
        """Return the user of *claims*: a :class:`Principal`. Override it to return a Django user, or None to refuse."""
        sub = subject(claims)
        return Principal(sub, username(claims) or sub, groups(claims), claims)


class _Failed(AuthenticationFailed):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self._challenge = refused.challenge

    @property
    def auth_header(self) -> str | None:
        return self._challenge

    @auth_header.setter
    def auth_header(self, _: object) -> None:
        """Ignore the assignment.

        The view sets ``auth_header`` to what ``authenticate_header`` returned, which does not contain the error.
        """


class _Denied(PermissionDenied):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self.auth_header = refused.challenge


class _Unavailable(APIException):
    status_code = 503
    default_code = "service_unavailable"

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)


_ERRORS: dict[int, Any] = {401: _Failed, 403: _Denied, 503: _Unavailable}
