"""The addresses of a user, to which codes are sent: the e-mail address and the phone number."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["ADDRESSES", "CODE_CHALLENGES", "MEDIUMS"]

ADDRESSES: Final = ("email", "phone_number")
"""The attributes that are addresses."""

MEDIUMS: Final[dict[str, Literal["EMAIL", "SMS"]]] = {"email": "EMAIL", "phone_number": "SMS"}
"""The DeliveryMedium of what is sent to an address, by attribute."""

CODE_CHALLENGES: Final = {"EMAIL_OTP": "email", "SMS_OTP": "phone_number", "SMS_MFA": "phone_number"}
"""The challenges that ask for a code that was sent, and the attribute that it was sent to."""
