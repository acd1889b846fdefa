"""The user's devices and sessions, and the factors that are set up; as the user or as an administrator."""

from __future__ import annotations

from ...flows import ask
from ...flows.paging import collect
from ...protocol import Flow, JsonObject
from ..base import CognitoBase
from ..sync_async import sync_method

__all__ = ["SessionMethods"]


class SessionMethods(CognitoBase):
    """List devices and sessions, and end sessions."""

    @sync_method
    def list_devices(self) -> Flow[list[JsonObject]]:
        """Return all devices of the user, from every page.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: a page has the token of its own request, so the pages would never end.
            TransportError: the service did not answer.
        """
        return (yield from collect("ListDevices", {"AccessToken": self._require_access_token()}))

    @sync_method
    def list_user_sessions(self) -> Flow[list[JsonObject]]:
        """Return all sessions of the user, from every page.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: a page has the token of its own request, so the pages would never end.
            TransportError: the service did not answer.
        """
        return (yield from collect("ListUserSessions", {"AccessToken": self._require_access_token()}))

    @sync_method
    def revoke_user_session(self, session_id: str) -> Flow[None]:
        """End the session with the id *session_id*.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("RevokeUserSession", {"AccessToken": self._require_access_token(), "SessionId": session_id})

    @sync_method
    def get_user_auth_factors(self) -> Flow[JsonObject]:
        """Return the factors that the user has set up: ``ConfiguredUserAuthFactors``, ``UserMFASettingList``, ...

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        return (yield from ask("GetUserAuthFactors", {"AccessToken": self._require_access_token()}))

    @sync_method
    def admin_list_devices(self, username: str) -> Flow[list[JsonObject]]:
        """Return all devices of *username*, from every page. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: a page has the token of its own request, so the pages would never end.
            TransportError: the service did not answer.
        """
        parameters = {"UserPoolId": self.user_pool_id, "Username": username}
        return (yield from collect("AdminListDevices", parameters))

    @sync_method
    def admin_list_user_sessions(self, username: str) -> Flow[list[JsonObject]]:
        """Return all sessions of *username*, from every page. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: a page has the token of its own request, so the pages would never end.
            TransportError: the service did not answer.
        """
        parameters = {"UserPoolId": self.user_pool_id, "Username": username}
        return (yield from collect("AdminListUserSessions", parameters))

    @sync_method
    def admin_revoke_user_session(self, username: str, session_id: str) -> Flow[None]:
        """End the session of *username* with the id *session_id*. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        parameters = {"UserPoolId": self.user_pool_id, "Username": username, "SessionId": session_id}
        yield from ask("AdminRevokeUserSession", parameters)

    @sync_method
    def admin_user_global_sign_out(self, username: str) -> Flow[None]:
        """Log *username* out everywhere. This needs AWS credentials.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("AdminUserGlobalSignOut", {"UserPoolId": self.user_pool_id, "Username": username})
