"""GetSigningCertificate: the X.509 certificate with which a SAML provider would verify the requests of a pool."""

from __future__ import annotations

from typing import Any

from ..api.parameters import Parameters, string
from ..steps import Step, outside
from ..storage.signing_keys import signing_key
from ..storage.state import Handler, State

__all__ = ["OPERATIONS"]

_KIND = "signing_certificate"


def get_signing_certificate(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer GetSigningCertificate: the first call makes the certificate, of the key that signs the pool's tokens."""
    pool, now = state.pool(string(parameters, "UserPoolId")), state.clock()
    document = state.documents.get(pool, _KIND)
    if document is None:
        key = yield from signing_key(pool)
        certificate = yield from outside(lambda: key.certificate(pool.id, now))
        # Another request may have made one meanwhile.
        document = state.documents.get(pool, _KIND) or state.documents.put(pool, _KIND, {"Certificate": certificate})
    return {"Certificate": document.settings["Certificate"]}


OPERATIONS: dict[str, Handler] = {"GetSigningCertificate": get_signing_certificate}
