"""Known answers, for the laws: the example of RFC 5054, and logins that AWS's own JavaScript clients computed.

``cognito_vectors.jsonl`` beside this module has one JSON object in each line: a part of the vectors in the project's
``tests/vectors/cognito/``, which describes their origin. Its numbers are in hexadecimal.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TypeAlias, cast

from ..crypto.groups import RFC5054_GROUPS
from ..crypto.srp import Parameters
from .exchanges import SrpExchange

__all__ = ["RFC5054_APPENDIX_B", "Vector", "appendix_b_exchange", "cognito_vectors"]

Vector: TypeAlias = dict[str, str]

RFC5054_APPENDIX_B: dict[str, int] = {
    name: int("".join(digits.split()), 16)
    for name, digits in {
        "k": "7556AA045AEF2CDD07ABAF0F665C3E818913186F",
        "x": "94B7555AABE9127CC58CCF4993DB6CF84D16C124",
        "u": "CE38B9593487DA98554ED47D70A7AE5F462EF019",
        "a": "60975527035CF2AD1989806F0407210BC81EDC04E2762A56AFD529DDDA2D4393",
        "b": "E487CB59D31AC550471E81F00F6928E01DDA08E974A004F49E61F5D105284D20",
        "salt": "BEB25379D1A8581EB5A727673A2441EE",
        "v": """
            7E273DE8696FFC4F4E337D05B4B375BEB0DDE1569E8FA00A9886D8129BADA1F1822223CA1A605B530E379BA4729FDC59
            F105B4787E5186F5C671085A1447B52A48CF1970B4FB6F8400BBF4CEBFBB168152E08AB5EA53D15C1AFF87B2B9DA6E04
            E058AD51CC72BFC9033B564E26480D78E955A5E29E7AB245DB2BE315E2099AFB
        """,
        "A": """
            61D5E490F6F1B79547B0704C436F523DD0E560F0C64115BB72557EC44352E8903211C04692272D8B2D1A5358A2CF1B6E
            0BFCF99F921530EC8E39356179EAE45E42BA92AEACED825171E1E8B9AF6D9C03E1327F44BE087EF06530E69F66615261
            EEF54073CA11CF5858F0EDFDFE15EFEAB349EF5D76988A3672FAC47B0769447B
        """,
        "B": """
            BD0C61512C692C0CB6D041FA01BB152D4916A1E77AF46AE105393011BAF38964DC46A0670DD125B95A981652236F99D9
            B681CBF87837EC996C6DA04453728610D0C6DDB58B318885D7D82C7F8DEB75CE7BD4FBAA37089E6F9C6059F388838E7A
            00030B331EB76840910440B1B27AAEAEEB4012B7D7665238A8E3FB004B117B58
        """,
        "S": """
            B0DC82BABCF30674AE450C0287745E7990A3381F63B387AAF271A10D233861E359B48220F7C4693C9AE12B0A6F67809F
            0876E2D013800D6C41BB59B6D5979B5C00A172B4A2A5903A0BDCAF8A709585EB2AFAFA8F3499B200210DCC1F10EB3394
            3CD67FC88A2F39A4BE5BEC4EC0A3212DC346D7E474B29EDE8A469FFECA686E5A
        """,
    }.items()
}
"""The numbers of RFC 5054, appendix B: 1024 bits, SHA-1, identity ``alice``, password ``password123``."""


def appendix_b_exchange(parameters: type[Parameters] = Parameters) -> SrpExchange:
    """Return the exchange of RFC 5054, appendix B."""
    numbers = RFC5054_APPENDIX_B
    salt = numbers["salt"].to_bytes(16, "big")
    p = parameters(RFC5054_GROUPS[1024], "sha1")
    return SrpExchange(p, "alice", "password123", salt, numbers["a"], numbers["b"])


@cache
def _vectors() -> list[Vector]:
    lines = files("srpcore.testing").joinpath("cognito_vectors.jsonl").read_text("utf-8").splitlines()
    return [cast(Vector, json.loads(line)) for line in lines]


def cognito_vectors(kind: str, *categories: str) -> list[Vector]:
    """Return the vectors of *kind* (``log-in``, ``device log-in``, ``device verifier``), the shortest first.

    With *categories*, only those whose category contains one of these strings are returned.
    """
    found = [vector for vector in _vectors() if vector["kind"] == kind]
    if categories:
        found = [vector for vector in found if any(part in vector["category"] for part in categories)]
    return sorted(found, key=lambda vector: len(str(vector)))
