"""The user's second factors: register an authenticator app, and choose the preferred factor."""

from __future__ import annotations

from ...exceptions.base import ConfigurationError
from ...flows import ask, require_string
from ...protocol import Flow
from ..base import CognitoBase
from ..sync_async import sync_method

__all__ = ["MfaMethods"]

# The names of the factors for `preferred`, each with the argument that enables it and with the member of the request.
_FACTORS = {
    "SMS": ("sms_mfa", "SMSMfaSettings"),
    "SOFTWARE_TOKEN": ("software_token_mfa", "SoftwareTokenMfaSettings"),
    "EMAIL": ("email_mfa", "EmailMfaSettings"),
}


class MfaMethods(CognitoBase):
    """Register second factors and set the preferred one."""

    @sync_method
    def associate_software_token(self) -> Flow[str]:
        """Begin to register an authenticator app, and return the secret that the app needs (base32).

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: the reply has no secret.
            TransportError: the service did not answer.
        """
        reply = yield from ask("AssociateSoftwareToken", {"AccessToken": self._require_access_token()})
        return require_string(reply, "SecretCode")

    @sync_method
    def verify_software_token(self, code: str | int, device_name: str = "") -> Flow[bool]:
        """Finish the registration of an authenticator app, and return whether the service accepted the *code*.

        Args:
            code: the six digits that the app shows, as a string or an integer.
            device_name: a name for the app, to show to the user.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            EnableSoftwareTokenMFAException: the code is wrong.
            InvalidParameterException: the code is not six digits. The secret is still the same, as after a wrong code.
            ServiceError: the service refused the request.
            UnsafeServerValue: the reply has no status.
            TransportError: the service did not answer.
        """
        access_token = self._require_access_token()
        parameters = {
            "AccessToken": access_token,
            "UserCode": f"{code:06d}" if isinstance(code, int) else code,
            "FriendlyDeviceName": device_name,
        }
        reply = yield from ask("VerifySoftwareToken", parameters)
        return require_string(reply, "Status") == "SUCCESS"

    @sync_method
    def set_user_mfa_preference(
        self,
        sms_mfa: bool | None,
        software_token_mfa: bool | None,
        preferred: str | None = None,
        *,
        email_mfa: bool | None = None,
    ) -> Flow[None]:
        """Enable or disable second factors, and set the preferred one. A factor that is None is left as it is.

        Args:
            sms_mfa: whether to enable codes by SMS.
            software_token_mfa: whether to enable the authenticator app.
            preferred: ``"SMS"``, ``"SOFTWARE_TOKEN"`` or ``"EMAIL"``: one of the factors that this call enables. It is
                ignored if this call only disables factors.
            email_mfa: whether to enable codes by e-mail.

        Raises:
            ConfigurationError: no factor is given; *preferred* is not a factor, or not one that is enabled here; or
                *preferred* is missing although *sms_mfa* and *software_token_mfa* are given and one of them is true
                (pycognito refuses that too). Nothing was sent.
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        given = {"SMS": sms_mfa, "SOFTWARE_TOKEN": software_token_mfa, "EMAIL": email_mfa}
        enabled = {name: bool(value) for name, value in given.items() if value is not None}
        _check_preferred(preferred, enabled)
        settings = {
            _FACTORS[name][1]: {"Enabled": on, "PreferredMfa": on and name == preferred} for name, on in enabled.items()
        }
        yield from ask("SetUserMFAPreference", {**settings, "AccessToken": self._require_access_token()})


def _check_preferred(preferred: str | None, enabled: dict[str, bool]) -> None:
    if not enabled:
        raise ConfigurationError("no factor to enable or disable: give sms_mfa, software_token_mfa or email_mfa")
    if preferred is not None and preferred not in _FACTORS:
        raise ConfigurationError(f"invalid preferred factor {preferred!r}: use 'SMS', 'SOFTWARE_TOKEN' or 'EMAIL'")
    if not any(enabled.values()):
        return
    if preferred is None and {"SMS", "SOFTWARE_TOKEN"} <= set(enabled):
        raise ConfigurationError("no preferred factor: give preferred='SMS', 'SOFTWARE_TOKEN' or 'EMAIL'")
    if preferred is not None and not enabled.get(preferred):
        argument = _FACTORS[preferred][0]
        raise ConfigurationError(f"preferred factor {preferred} is not enabled: give {argument}=True as well")
