"""The methods of ``AsyncCognito`` for each subject in ``operations/``, with the flows of the synchronous methods."""

from __future__ import annotations

from collections.abc import Mapping

from ..users import AsyncUserObj, GroupObj
from .async_base import AsyncCognitoBase
from .operations.devices import DeviceMethods, SharedDevices
from .operations.directory import DirectoryMethods, SharedDirectory
from .operations.mfa import MfaMethods
from .operations.passkeys import PasskeyMethods
from .operations.passwords import PasswordMethods
from .operations.profile import ProfileMethods, SharedProfile
from .operations.providers import ProviderMethods
from .operations.sessions import SessionMethods
from .operations.sign_up import SharedSignUp, SignUpMethods
from .operations.streams import AsyncStream, SharedStreams
from .sync_async import async_method

__all__ = [
    "AsyncDeviceMethods",
    "AsyncDirectoryMethods",
    "AsyncMfaMethods",
    "AsyncPasskeyMethods",
    "AsyncPasswordMethods",
    "AsyncProfileMethods",
    "AsyncProviderMethods",
    "AsyncSessionMethods",
    "AsyncSignUpMethods",
    "AsyncStreamMethods",
]


class AsyncDeviceMethods(SharedDevices, AsyncCognitoBase):
    """The async version of :class:`DeviceMethods`."""

    confirm_device = async_method(DeviceMethods.confirm_device)
    update_device_status = async_method(DeviceMethods.update_device_status)
    forget_device = async_method(DeviceMethods.forget_device)


class AsyncProfileMethods(SharedProfile, AsyncCognitoBase):
    """The async version of :class:`ProfileMethods`."""

    user_class: type[AsyncUserObj] = AsyncUserObj

    get_user = async_method(ProfileMethods.get_user, AsyncUserObj)
    admin_get_user = async_method(ProfileMethods.admin_get_user, AsyncUserObj)
    update_profile = async_method(ProfileMethods.update_profile)
    admin_update_profile = async_method(ProfileMethods.admin_update_profile)
    send_verification = async_method(ProfileMethods.send_verification)
    validate_verification = async_method(ProfileMethods.validate_verification)
    delete_user = async_method(ProfileMethods.delete_user)
    admin_delete_user = async_method(ProfileMethods.admin_delete_user)


class AsyncDirectoryMethods(SharedDirectory, AsyncProfileMethods, AsyncCognitoBase):
    """The async version of :class:`DirectoryMethods`."""

    get_users = async_method(DirectoryMethods.get_users, list[AsyncUserObj])
    admin_create_user = async_method(DirectoryMethods.admin_create_user)
    admin_enable_user = async_method(DirectoryMethods.admin_enable_user)
    admin_disable_user = async_method(DirectoryMethods.admin_disable_user)
    get_group = async_method(DirectoryMethods.get_group)
    get_groups = async_method(DirectoryMethods.get_groups)
    admin_add_user_to_group = async_method(DirectoryMethods.admin_add_user_to_group)
    admin_remove_user_from_group = async_method(DirectoryMethods.admin_remove_user_from_group)
    admin_list_groups_for_user = async_method(DirectoryMethods.admin_list_groups_for_user)


class AsyncMfaMethods(AsyncCognitoBase):
    """The async version of :class:`MfaMethods`."""

    associate_software_token = async_method(MfaMethods.associate_software_token)
    verify_software_token = async_method(MfaMethods.verify_software_token)
    set_user_mfa_preference = async_method(MfaMethods.set_user_mfa_preference)


class AsyncPasskeyMethods(AsyncCognitoBase):
    """The async version of :class:`PasskeyMethods`."""

    start_web_authn_registration = async_method(PasskeyMethods.start_web_authn_registration)
    complete_web_authn_registration = async_method(PasskeyMethods.complete_web_authn_registration)
    list_web_authn_credentials = async_method(PasskeyMethods.list_web_authn_credentials)
    delete_web_authn_credential = async_method(PasskeyMethods.delete_web_authn_credential)


class AsyncPasswordMethods(AsyncCognitoBase):
    """The async version of :class:`PasswordMethods`."""

    change_password = async_method(PasswordMethods.change_password)
    initiate_forgot_password = async_method(PasswordMethods.initiate_forgot_password)
    confirm_forgot_password = async_method(PasswordMethods.confirm_forgot_password)
    admin_reset_password = async_method(PasswordMethods.admin_reset_password)


class AsyncProviderMethods(AsyncCognitoBase):
    """The async version of :class:`ProviderMethods`."""

    admin_create_identity_provider = async_method(ProviderMethods.admin_create_identity_provider)
    admin_describe_identity_provider = async_method(ProviderMethods.admin_describe_identity_provider)
    admin_update_identity_provider = async_method(ProviderMethods.admin_update_identity_provider)
    describe_user_pool_client = async_method(ProviderMethods.describe_user_pool_client)
    admin_update_user_pool_client = async_method(ProviderMethods.admin_update_user_pool_client)


class AsyncSessionMethods(AsyncCognitoBase):
    """The async version of :class:`SessionMethods`."""

    list_devices = async_method(SessionMethods.list_devices)
    list_user_sessions = async_method(SessionMethods.list_user_sessions)
    revoke_user_session = async_method(SessionMethods.revoke_user_session)
    get_user_auth_factors = async_method(SessionMethods.get_user_auth_factors)
    admin_list_devices = async_method(SessionMethods.admin_list_devices)
    admin_list_user_sessions = async_method(SessionMethods.admin_list_user_sessions)
    admin_revoke_user_session = async_method(SessionMethods.admin_revoke_user_session)
    admin_user_global_sign_out = async_method(SessionMethods.admin_user_global_sign_out)


class AsyncSignUpMethods(SharedSignUp, AsyncCognitoBase):
    """The async version of :class:`SignUpMethods`."""

    register = async_method(SignUpMethods.register)
    confirm_sign_up = async_method(SignUpMethods.confirm_sign_up)
    admin_confirm_sign_up = async_method(SignUpMethods.admin_confirm_sign_up)
    resend_confirmation_code = async_method(SignUpMethods.resend_confirmation_code)


class AsyncStreamMethods(SharedStreams, AsyncCognitoBase):
    """The async version of :class:`StreamMethods`."""

    def iter_users(
        self,
        filter: str | None = None,
        attributes: list[str] | None = None,
        limit: int | None = None,
        *,
        page_token: str | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> AsyncStream[AsyncUserObj]:
        """Return an async iterator over the pool's users: see ``Cognito.iter_users``.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return AsyncStream(self._run, self._users(filter, attributes, limit, page_token, attr_map))

    def iter_groups(self, limit: int | None = None, *, page_token: str | None = None) -> AsyncStream[GroupObj]:
        """Return an async iterator over the pool's groups: see ``Cognito.iter_groups``.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return AsyncStream(self._run, self._groups(limit, page_token))

    def iter_users_in_group(
        self,
        group_name: str,
        limit: int | None = None,
        *,
        page_token: str | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> AsyncStream[AsyncUserObj]:
        """Return an async iterator over the users in a group: see ``Cognito.iter_users_in_group``.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return AsyncStream(self._run, self._members(group_name, limit, page_token, attr_map))
