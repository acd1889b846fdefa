"""The user's second factors: enrol an authenticator app, choose which factor is asked for."""

from __future__ import annotations

from ...exceptions.base import ConfigurationError
from ...flows import ask
from ...protocol import Flow
from ..base import AsyncCognitoBase, CognitoBase
from ..sync_async import async_method, sync_method

__all__ = ["AsyncMfaMethods", "MfaMethods"]

_PREFERENCES = ("SMS", "SOFTWARE_TOKEN")


class MfaMethods(CognitoBase):
    """Enrol and prefer second factors."""

    @sync_method
    def associate_software_token(self) -> Flow[str]:
        """Begin to enrol an authenticator app, and return the secret for it, in base32.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        reply = yield from ask("AssociateSoftwareToken", {"AccessToken": self._require_access_token()})
        return str(reply["SecretCode"])

    @sync_method
    def verify_software_token(self, code: str | int, device_name: str = "") -> Flow[bool]:
        """Finish to enrol the authenticator app with a *code* of it, and return whether the service took it.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            EnableSoftwareTokenMFAException: the code is wrong.
            ServiceError: the service refused.
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
        """Switch the factors on or off; *preferred* is ``"SMS"`` or ``"SOFTWARE_TOKEN"``, None with both off.

        Raises:
            ConfigurationError: *preferred* is none of these; nothing was sent.
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        any_factor = bool(sms_mfa) or bool(software_token_mfa)
        if any_factor and preferred not in _PREFERENCES:
            raise ConfigurationError("preferred must be 'SMS' or 'SOFTWARE_TOKEN', or None with both factors off")
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
    """Enrol and prefer second factors, on an event loop."""

    associate_software_token = async_method(MfaMethods.associate_software_token)
    verify_software_token = async_method(MfaMethods.verify_software_token)
    set_user_mfa_preference = async_method(MfaMethods.set_user_mfa_preference)
