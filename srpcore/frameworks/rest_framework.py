"""Django REST framework: an authentication class whose subclass says whose tokens, and what views may demand of them.

::

    class Authentication(CognitoAuthentication, verifier=TokenVerifier("eu-west-1_AbCd12345", ...)): ...

    class Writers(Authentication, scope="orders/write"): ...

    class Orders(APIView):
        authentication_classes = [Writers]
        permission_classes = [IsAuthenticated]  # without it the framework lets in who brings no token at all
"""

# The framework has no types: what is inferred of its code (a method that passes returns None) is not what it means.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from ..exceptions import ConfigurationError
from ..tokens.claims import Claims
from ..tokens.policy import Overrides
from ..tokens.verifier import TokenVerifier
from .bearer import Refused, bearer_token, demands, refusing, sync_verifier
from .principal import groups, subject, username

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["CognitoAuthentication", "Principal"]


@dataclass(frozen=True)
class Principal:
    """The user of a verified token, in the place of a Django user: no database is asked. ``pk`` is ``sub``."""

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
    """Authenticate by the bearer token of a request: ``request.auth`` is its claims, ``request.user`` whose they are.

    Subclass it with ``verifier=``, a TokenVerifier, and what it demands in the place of what that was made with, such
    as ``scope=``; a subclass of the subclass adds to it. As the framework wants it, a request without a bearer token is
    left to the next authentication class, and is let in unless a permission such as ``IsAuthenticated`` says no: make
    that one of ``DEFAULT_PERMISSION_CLASSES``.

    Raises:
        ConfigurationError: at the definition, the verifier is none or an override cannot be used; at a request, there
            is no verifier.
    """

    verifier: ClassVar[TokenVerifier | None] = None
    _demands: ClassVar[Overrides] = {}

    def __init_subclass__(cls, *, verifier: TokenVerifier | None = None, **overrides: Unpack[Overrides]) -> None:
        super().__init_subclass__()
        misplaced = sorted(Overrides.__annotations__.keys() & vars(cls).keys())
        if misplaced:
            # An attribute of that name would demand nothing.
            raise ConfigurationError(f"say {misplaced[0]} beside the base class: class Name(Base, {misplaced[0]}=...)")
        inherited: dict[str, object] = {}
        for base in cls.__bases__:
            for name, demand in {"verifier": getattr(base, "verifier", None), **getattr(base, "_demands", {})}.items():
                given = verifier is not None if name == "verifier" else name in overrides
                if demand != inherited.setdefault(name, demand) and not given:
                    raise ConfigurationError(f"the base classes demand another {name} each: say which, beside them")
        if verifier is not None:
            cls.verifier = verifier
        if cls.verifier is not None:
            sync_verifier(cls.verifier)
        del inherited["verifier"]
        cls._demands = cast(Overrides, {**inherited, **demands(overrides)})

    def __init__(self) -> None:
        if self.verifier is None:
            raise ConfigurationError("there is no verifier: subclass with verifier=TokenVerifier(...)")

    def authenticate(self, request: Any) -> tuple[Any, Claims] | None:
        """Return the user and the claims of the token that *request* brings, None where it brings none.

        Raises:
            AuthenticationFailed: the token is not accepted (401).
            PermissionDenied: it lacks a group or a scope (403).
            APIException: there are no keys to verify it with (503).
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        try:
            with refusing():
                token = bearer_token([] if header is None else [header])
                if token is None:
                    return None
                claims = cast(TokenVerifier, self.verifier).verify(token, **self._demands)
                user = self.get_user(claims)
        except Refused as refused:
            raise _ERRORS[refused.status](refused) from refused.__cause__
        if user is None or not getattr(user, "is_active", True):
            raise AuthenticationFailed("the user of the token is not known here, or no longer")
        return user, claims

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002 - the framework's signature
        """Return ``Bearer``, so that the framework answers 401 and not 403 where nobody is logged in."""
        return "Bearer"

    def get_user(self, claims: Claims) -> Any:
        """Return the user whom *claims* are of: a :class:`Principal`. Override it to find a Django user, or None."""
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
        """Stay: the view sets what its first authentication class would say, which knows nothing of the failure."""


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
