"""Random lives of users: the same requests to a pool, by clients, and to the model; the answers must be equal.

A failure is printed as a program: the calls of the rules that lead to it, the shortest that hypothesis found.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, rule

from srpcore_transports.local.storage.retention import KEPT_AFTER_EXPIRY

from .choices import (
    ADDRESSES,
    ADMIN_METHODS,
    CHANGES,
    METHODS,
    MFA_NAMES,
    NEEDS,
    SHOWN,
    backs,
    counts,
    flows,
    given_addresses,
    names,
    passwords,
    seldom,
    settings_of_pools,
    typed,
)
from .life import Life, check_equal
from .model import DAY, NAMES
from .model_logins import FACTORS, Pool
from .records import Client, Session, Settings, User
from .worlds import KINDS, open_stage

__all__ = ["LIVES", "Lives"]

NOBODY = cast(Any, multiple())
"""What a rule returns that has made no client."""


class Lives(Life):
    """Lives over the transport *kind*."""

    kind: ClassVar[str] = "in process"
    clients: Bundle[Client] = Bundle("clients")

    @initialize(target=clients, settings=settings_of_pools, attributes=given_addresses)
    def open_pool(self, settings: Settings, attributes: dict[str, str]) -> Any:
        """Make a pool with one user, who is logged in."""
        folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        self.stage = self.exits.enter_context(open_stage(self.kind, settings, folder))
        self.actor, self.model = self.stage.actor, Pool(settings, self.stage.clock)
        self.admin_create(NAMES[0], "Correct-Horse-1", attributes)
        self.admin_set_password(NAMES[0], "Correct-Horse-1", True)
        client = self.new_client(NAMES[0])
        self.log_in_again(client, "right", "authenticate")
        for _ in range(2):  # a pool that requires a second factor asks which one, and for the code
            self.answer(client, "right", 1, 1, "Battery-Staple-2")
        return client

    # Accounts

    @rule(name=names, password=passwords)
    def sign_up(self, name: str, password: str) -> None:
        """Sign a user up."""
        client = self.new_client(name)
        self.actor.do("set_base_attributes", client.number, ADDRESSES)
        self.same(
            lambda: self.model.sign_up(name, password, ADDRESSES), "call", client.number, "register", name, password
        )

    @rule(name=names, which=typed)
    def confirm_sign_up(self, name: str, which: str) -> None:
        """Confirm a sign-up."""
        client, code = self.new_client(name), self.code_of(name, "sign_up", which)
        self.same(lambda: self.model.confirm_sign_up(name, code), "call", client.number, "confirm_sign_up", code)

    @rule(name=names)
    def resend_code(self, name: str) -> None:
        """Send another code for the sign-up."""
        client = self.new_client(name)
        self.same(lambda: self.model.resend_code(name), "call", client.number, "resend_confirmation_code", name)

    @rule(name=names)
    def forgot_password(self, name: str) -> None:
        """Send a code for a new password."""
        client = self.new_client(name)
        self.same(lambda: self.model.forgot_password(name), "call", client.number, "initiate_forgot_password")

    @rule(name=names, password=passwords, which=typed, count=counts, first=st.sampled_from(["", "forgot", "reset"]))
    def confirm_forgot_password(self, name: str, password: str, which: str, count: int, first: str) -> None:
        """Set a new password with a code, which is sent *first*, or was sent before."""
        if first == "forgot":
            self.forgot_password(name)
        elif first == "reset":
            self.admin_act(name, "admin_reset_password")
        client = self.new_client(name)
        for _ in range(count):
            self.type_reset_code(client, self.code_of(name, "reset", which), password)

    def type_reset_code(self, client: Client, code: str, password: str) -> None:
        """Set a new password with *code*."""
        self.same(
            lambda: self.model.confirm_forgot_password(client.name, code, password),
            *("call", client.number, "confirm_forgot_password", code, password),
        )

    # Administrators

    @rule(name=names, password=passwords, attributes=given_addresses)
    def admin_create(self, name: str, password: str, attributes: dict[str, str]) -> None:
        """Create a user with a temporary password."""
        self.admin(
            lambda: self.model.admin_create(name, password, attributes),
            *("admin_create_user", name, password, {"MessageAction": "SUPPRESS"}),
            **attributes,
        )

    @rule(name=names, password=passwords, permanent=st.booleans())
    def admin_set_password(self, name: str, password: str, permanent: bool) -> None:
        """Set a password."""
        self.same(
            lambda: self.model.admin_set_password(name, password, permanent=permanent),
            "admin_operation",
            "admin_set_user_password",
            {"Username": name, "Password": password, "Permanent": permanent},
        )

    @rule(name=names, method=st.sampled_from(ADMIN_METHODS))
    def admin_act(self, name: str, method: str) -> None:
        """Reset a password, confirm a sign-up, disable, enable or delete a user, or log a user out everywhere."""
        predict = {
            "admin_reset_password": self.model.admin_reset_password,
            "admin_confirm_sign_up": self.model.admin_confirm,
            "admin_disable_user": self.model.admin_disable,
            "admin_enable_user": self.model.admin_enable,
            "admin_delete_user": self.model.admin_delete,
            "admin_user_global_sign_out": self.model.admin_log_out,
        }[method]
        named = {"username": name} if method == "admin_delete_user" else {}
        self.admin(lambda: predict(name), method, *(() if named else (name,)), **named)

    @rule(name=names, given=st.sampled_from([*CHANGES, {"email_verified": "true"}, {"phone_number_verified": "true"}]))
    def admin_update(self, name: str, given: dict[str, str]) -> None:
        """Change attributes."""
        self.admin(lambda: self.model.admin_update(name, given), "admin_update_profile", given, username=name)

    # Logins

    @rule(
        target=clients,
        name=names,
        which=typed,
        count=counts,
        flow=flows,
        device=st.integers(0, 2),
        answers=st.lists(typed, max_size=3),
        confirm=st.booleans(),
    )
    def log_in(
        self, name: str, which: str, count: int, flow: str, device: int, answers: list[str], confirm: bool
    ) -> Any:
        """Log in with a new client, and answer the challenges.

        If *device* is not 0, the client has the device of an earlier client, counted from the last one.
        """
        donors = self.donors[name][-device:] if device else []
        client = self.new_client(name, donors[0] if donors else None)
        for _ in range(1 if which == "right" else count):
            self.log_in_again(client, which, flow)
        for answer in answers:
            self.answer(client, answer, 1, 1, "Battery-Staple-2")
        if confirm and client.new_device is not None:
            self.confirm_device(client)
        return client if client.access is not None or client.sessions else NOBODY

    @rule(client=clients, which=typed, flow=flows)
    def log_in_again(self, client: Client, which: str, flow: str) -> None:
        """Log in with a client that may be logged in."""
        password = self.password_of(client.name, which)
        action = "authenticate" if flow in METHODS else "sign_in"
        self.log_in_client(client, lambda: self.model.log_in(client, password), action, client.number, password, flow)

    @rule(client=clients, which=typed, back=backs, count=counts, password=passwords, disabled=seldom)
    def answer(self, client: Client, which: str, back: int, count: int, password: str, disabled: bool = False) -> None:
        """Answer the last challenge of a client, or the one before it, perhaps while the user is disabled."""
        if len(client.sessions) < back:
            return
        if disabled:
            self.admin_act(client.name, "admin_disable_user")
        for _ in range(1 if which == "right" else count):
            if client.sessions[-back][0].challenge == "MFA_SETUP" and which == "right":
                self.set_up_totp(client, *client.sessions[-back])
                back = 1
            self.answer_once(client, *client.sessions[-back], which, password)
        if disabled:
            self.admin_act(client.name, "admin_enable_user")

    def set_up_totp(self, client: Client, session: Session, step: int) -> None:
        """Begin to set up an authenticator app during a login."""
        self.log_in_client(client, lambda: self.model.set_up_totp(session), "set_up_totp", client.number, step)
        if client.sessions[-1][0].open and client.sessions[-1][0] is not session:
            session.user.totp_pending = self.actor.totp_secret(client.number)

    def answer_once(self, client: Client, session: Session, step: int, which: str, password: str) -> None:
        """Answer a challenge."""
        given, sent = self.answer_of(session, which, password)
        self.log_in_client(
            client,
            lambda: self.model.answer(client, session, given),
            *("answer", client.number, step, sent, NEEDS.get(session.challenge, "code")),
        )

    # Tokens

    @rule(target=clients, client=clients, back=st.sampled_from([2, 1, 3]), refresh=st.booleans())
    def use_old_tokens(self, client: Client, back: int, refresh: bool) -> Any:
        """Make a client with tokens that another client had."""
        if len(client.kept) < back:
            return NOBODY
        access, token, number = client.kept[-back]
        made = self.actor.do("new_client", client.name, None, number).value
        assert isinstance(made, int)
        copy = Client(made, client.name, access, token)
        if refresh:
            self.refresh(copy)
        return copy

    @rule(client=clients, pause=st.sampled_from([None, 0, 61]))
    def refresh(self, client: Client, pause: int | None = None) -> None:
        """Refresh the tokens; if *pause* is given, then also with the tokens of before, after so many seconds."""
        if client.refresh is None:  # botocore has an exception of its own for this
            return
        outcome = self.same(lambda: self.model.refresh(client), "call", client.number, "renew_access_token")
        if outcome.error is not None:
            return
        self.keep(client)
        if pause is not None:
            self.wait(pause)
            self.use_old_tokens(client, 2, True)

    @rule(client=clients)
    def refresh_each_week(self, client: Client) -> None:
        """Refresh the tokens until the refresh token has expired."""
        for _ in range(5):
            self.wait(7 * DAY)
            self.refresh(client)

    @rule(client=clients)
    def revoke(self, client: Client) -> None:
        """Revoke the refresh token."""
        self.same(lambda: self.model.revoke(client), "call", client.number, "revoke_token")

    @rule(client=clients)
    def log_out(self, client: Client) -> None:
        """Log out everywhere."""
        self.same(lambda: self.model.log_out(client), "call", client.number, "logout")

    @rule(client=clients)
    def delete(self, client: Client) -> None:
        """Delete the own account."""
        self.same(lambda: self.model.delete(client), "call", client.number, "delete_user")

    @rule(client=clients)
    def look(self, client: Client) -> None:
        """Read the own account."""
        outcome = self.same(lambda: self.model.check_access(client.access), "attributes", client.number)
        devices = self.same(lambda: self.model.check_access(client.access), "devices", client.number)
        if outcome.error is None and client.access is not None:
            user = client.access.login.user
            attributes = {name: SHOWN.get(value, value) for name, value in user.attributes.items()}
            check_equal("the own attributes", outcome.value, attributes)
            check_equal("the own devices", devices.value, sum(device.confirmed for device in user.devices))

    # The account of the user who is logged in

    @rule(client=clients, which=typed, password=passwords)
    def change_password(self, client: Client, which: str, password: str) -> None:
        """Change the password."""
        previous, before = self.password_of(client.name, which), client.access
        self.same(
            lambda: self.model.change_password(client, previous, password),
            *("call", client.number, "change_password", previous, password),
        )
        if client.access is not before:
            self.keep(client)

    @rule(client=clients, given=st.sampled_from(CHANGES))
    def update_profile(self, client: Client, given: dict[str, str]) -> None:
        """Change attributes."""
        self.same(lambda: self.model.update_profile(client, given), "call", client.number, "update_profile", given)

    @rule(client=clients, which=typed)
    def verify_email(self, client: Client, which: str) -> None:
        """Verify a changed e-mail address."""
        code, before = self.code_of(client.name, "attribute", which), client.access
        self.same(lambda: self.model.verify_email(client, code), "call", client.number, "validate_verification", code)
        if client.access is not before:
            self.keep(client)

    # Second factors

    @rule(client=clients)
    def associate_totp(self, client: Client) -> None:
        """Begin to register an authenticator app."""
        users: list[User] = []
        self.same(lambda: users.append(self.model.associate_totp(client)), "associate_totp", client.number)
        if users:
            users[0].totp_pending = self.actor.totp_secret(client.number)

    @rule(client=clients, which=typed)
    def verify_totp(self, client: Client, which: str) -> None:
        """Finish to register an authenticator app."""
        pending = None if client.access is None else client.access.login.user.totp_pending
        given, code = self.totp_code(pending, which)
        self.same(
            lambda: self.model.verify_totp(client, given),
            *("call", client.number, "verify_software_token", code),
        )

    @rule(
        client=clients,
        factor=st.sampled_from(FACTORS),
        on=st.sampled_from([True, True, False]),
        preferred=st.booleans(),
    )
    def prefer(self, client: Client, factor: str, on: bool, preferred: bool) -> None:
        """Enable or disable a second factor."""
        self.same(
            lambda: self.model.prefer(client, factor, on=on, preferred=preferred),
            *("prefer", client.number, MFA_NAMES[factor], on, preferred),
        )

    @rule(target=clients, client=clients, pause=st.sampled_from([0, 31]), remembered=st.booleans())
    def enrol_and_log_in(self, client: Client, pause: int, remembered: bool) -> Any:
        """Register an authenticator app, enable it, and log in with it twice; then from the device of that login."""
        self.associate_totp(client)
        self.verify_totp(client, "right")
        self.prefer(client, "SOFTWARE_TOKEN_MFA", True, True)
        other = self.new_client(client.name)
        for _ in range(2):
            self.wait(pause)
            self.log_in_again(other, "right", "USER_SRP_AUTH")
            self.answer(other, "right", 1, 1, "Battery-Staple-2")
        if other.access is None:
            return NOBODY
        if other.new_device is not None:
            self.confirm_device(other)
            self.set_remembered(other, remembered)
            self.log_in(client.name, "right", 1, "USER_SRP_AUTH", 1, [], False)
        return other

    # Devices

    @rule(client=clients)
    def confirm_device(self, client: Client) -> None:
        """Confirm the device of the last login."""
        self.same(lambda: self.model.confirm_device(client), "call", client.number, "confirm_device", "laptop")
        if client.device is not None:
            self.donors[client.name].append(client)

    @rule(client=clients, remembered=st.booleans())
    def set_remembered(self, client: Client, remembered: bool) -> None:
        """Remember the device, or do not."""
        if client.access is None and client.device is None:  # which of the two is missed depends on the transport
            return
        self.same(
            lambda: self.model.set_remembered(client, remembered=remembered),
            *("call", client.number, "update_device_status", remembered),
        )

    @rule(target=clients, client=clients)
    def forget_device(self, client: Client) -> Any:
        """Forget the device, and log in with another client that still has it."""
        if client.access is None and client.device is None:
            return NOBODY
        other = self.new_client(client.name, client)
        self.same(lambda: self.model.forget_device(client), "call", client.number, "forget_device")
        if other.device is None or client.device is not None:
            return NOBODY
        self.log_in_again(other, "right", "USER_SRP_AUTH")
        self.set_remembered(other, True)
        return other

    # Time

    @rule(seconds=st.sampled_from([1, 31, 61, 181, 901, 3600, 3601, DAY + 1, 8 * DAY, 31 * DAY]))
    def wait(self, seconds: int) -> None:
        """Let time pass, unless the pool would then forget expired tokens: the model never forgets them."""
        if self.waited + seconds < KEPT_AFTER_EXPIRY:
            self.waited += seconds
            self.actor.do("advance", seconds)


LIVES = {kind: type(f"Lives{kind.title().replace(' ', '')}", (Lives,), {"kind": kind}) for kind in KINDS}
"""A machine for each transport."""
