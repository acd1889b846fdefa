"""What the rules of a life choose from."""

from __future__ import annotations

from hypothesis import strategies as st

from .model import NAMES
from .records import Settings

__all__ = [
    "ADDRESSES",
    "ADMIN_METHODS",
    "CHANGES",
    "METHODS",
    "MFA_NAMES",
    "NEEDS",
    "SHOWN",
    "backs",
    "counts",
    "flows",
    "given_addresses",
    "names",
    "passwords",
    "seldom",
    "settings_of_pools",
    "typed",
]

# The first user has the longer life.
names = st.sampled_from([NAMES[0], NAMES[0], NAMES[0], NAMES[1]])
passwords = st.sampled_from(["Correct-Horse-1", "Battery-Staple-2", "Très-Sûr-3!", "short"])
# Which password or code a user types. Most of them are right, so that a life goes on.
typed = st.sampled_from(["right", "right", "right", "right", "wrong", "earlier"])
counts = st.sampled_from([1, 1, 1, 2, 7])
backs = st.sampled_from([1, 1, 1, 1, 2])
seldom = st.sampled_from([False, False, True])
settings_of_pools = st.builds(
    Settings,
    st.sampled_from(["OPTIONAL", "OPTIONAL", "ON", "OFF"]),
    st.sampled_from([None, "always", "prompt"]),
    st.booleans(),
    st.sampled_from([None, 0, 60]),
    st.booleans(),
)
ADDRESSES = {"email": "ann@example.com", "phone_number": "+15550001234"}
VERIFIED = {**ADDRESSES, "email_verified": "true", "phone_number_verified": "true"}
given_addresses = st.sampled_from([VERIFIED, VERIFIED, ADDRESSES])
CHANGES = (
    {"nickname": "Annie"},
    {"email": "other@example.com"},
    {"email": "ann@example.com", "nickname": ""},
    {"phone_number": ""},
    {"phone_number": "+15550005678"},
)
FLOWS = ("USER_SRP_AUTH", "USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH")
ADMIN_METHODS = (
    "admin_enable_user",  # often, so that a life goes on
    "admin_enable_user",
    "admin_enable_user",
    "admin_reset_password",
    "admin_confirm_sign_up",
    "admin_disable_user",
    "admin_delete_user",
    "admin_user_global_sign_out",
)
METHODS = ("authenticate", "admin_authenticate")
flows = st.sampled_from([*FLOWS, *METHODS])
NEEDS = {"NEW_PASSWORD_REQUIRED": "new_password", "SELECT_MFA_TYPE": "choice"}
MFA_NAMES = {"SMS_MFA": "SMS", "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN", "EMAIL_OTP": "EMAIL"}
SHOWN: dict[str, object] = {"true": True, "false": False}
"""Attributes that a user object shows as booleans."""
