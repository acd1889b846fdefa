"""The user's second factors: enrol an authenticator app, choose which factor is asked for."""

from __future__ import annotations

from ..exceptions.base import ConfigurationError
from .base import CognitoBase

__all__ = ["MfaMethods"]

_PREFERENCES = ("SMS", "SOFTWARE_TOKEN")


class MfaMethods(CognitoBase):
    """Enrol and prefer second factors."""

    def associate_software_token(self) -> str:
        """Begin to enrol an authenticator app, and return the secret for it, in base32.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        secret: str = self._call("AssociateSoftwareToken", AccessToken=self._require_access_token())["SecretCode"]
        return secret

    def verify_software_token(self, code: str | int, device_name: str = "") -> bool:
        """Finish to enrol the authenticator app with a *code* of it, and return whether the service took it.

        Raises:
            AccessTokenRequired: nobody is logged in; nothing was sent.
            EnableSoftwareTokenMFAException: the code is wrong.
            ServiceError: the service refused.
        """
        reply = self._call(
            "VerifySoftwareToken",
            AccessToken=self._require_access_token(),
            UserCode=str(code),
            FriendlyDeviceName=device_name,
        )
        return bool(reply["Status"] == "SUCCESS")

    def set_user_mfa_preference(self, sms_mfa: bool, software_token_mfa: bool, preferred: str | None = None) -> None:
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
        self._call(
            "SetUserMFAPreference",
            SMSMfaSettings={"Enabled": bool(sms_mfa), "PreferredMfa": chosen == "SMS"},
            SoftwareTokenMfaSettings={"Enabled": bool(software_token_mfa), "PreferredMfa": chosen == "SOFTWARE_TOKEN"},
            AccessToken=self._require_access_token(),
        )
