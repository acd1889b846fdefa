"""The user's second factors: register an authenticator app, and choose the preferred factor."""

from __future__ import annotations

from ...exceptions.base import ConfigurationError
from ...flows import ask
from ...protocol import Flow
from ..base import AsyncCognitoBase, CognitoBase
from ..sync_async import async_method, sync_method

__all__ = ["AsyncMfaMethods", "MfaMethods"]

_PREFERENCES = ("SMS", "SOFTWARE_TOKEN")


class MfaMethods(CognitoBase):
    """Register second factors and set the preferred one."""

    @sync_method
    def associate_software_token(self) -> Flow[str]:
        """Begin to register an authenticator app, and return the secret that the app needs (base32).

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
        """
        reply = yield from ask("AssociateSoftwareToken", {"AccessToken": self._require_access_token()})
        return str(reply["SecretCode"])

    @sync_method
    def verify_software_token(self, code: str | int, device_name: str = "") -> Flow[bool]:
        """Finish the registration of an authenticator app, and return whether the service accepted the *code*.

        Args:
            code: the six digits that the app shows, as a string or an integer.
            device_name: a name for the app, to show to the user.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            EnableSoftwareTokenMFAException: the code is wrong.
            ServiceError: the service refused the request.
        """
        access_token = self._require_access_token()
        parameters = {
            "AccessToken": access_token,
            "UserCode": f"{code:06d}" if isinstance(code, int) else code,
            "FriendlyDeviceName": device_name,
        }
        reply = yield from ask("VerifySoftwareToken", parameters)
        return bool(reply["Status"] == "SUCCESS")

    @sync_method
    def set_user_mfa_preference(
        self, sms_mfa: bool, software_token_mfa: bool, preferred: str | None = None
    ) -> Flow[None]:
        """Enable or disable the second factors, and set the preferred one.

        Args:
            sms_mfa: whether to enable codes by SMS.
            software_token_mfa: whether to enable the authenticator app.
            preferred: ``"SMS"`` or ``"SOFTWARE_TOKEN"``. It is ignored if both factors are disabled.

        Raises:
            ConfigurationError: a factor is enabled, and *preferred* is another value; nothing was sent.
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
        """
        any_factor = bool(sms_mfa) or bool(software_token_mfa)
        if any_factor and preferred not in _PREFERENCES:
            raise ConfigurationError(
                f"invalid preferred factor {preferred!r}: use 'SMS' or 'SOFTWARE_TOKEN', or disable both factors"
            )
        chosen = preferred if any_factor else None
        yield from ask(
            "SetUserMFAPreference",
            {
                "SMSMfaSettings": {"Enabled": bool(sms_mfa), "PreferredMfa": chosen == "SMS"},
                "SoftwareTokenMfaSettings": {
                    "Enabled": bool(software_token_mfa),
                    "PreferredMfa": chosen == "SOFTWARE_TOKEN",
                },
                "AccessToken": self._require_access_token(),
            },
        )


class AsyncMfaMethods(AsyncCognitoBase):
    """The async version of :class:`MfaMethods`."""

    associate_software_token = async_method(MfaMethods.associate_software_token)
    verify_software_token = async_method(MfaMethods.verify_software_token)
    set_user_mfa_preference = async_method(MfaMethods.set_user_mfa_preference)
