"""The authenticator of tests/support, for the modules that still import it from this folder."""

from __future__ import annotations

from support.authenticator import Authenticator as Authenticator
