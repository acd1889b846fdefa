"""The helpers of support.loopback, for the modules that still import them from here."""

from __future__ import annotations

from support.loopback import *  # noqa: F403 - all that is in its __all__
