"""Count what five calls do: function calls, files, and moves (a function calling one of another file).

    python tools/call_trace.py                  # the counts
    python tools/call_trace.py get_users        # and each call of those with this name; a star marks a move

Only functions of srpcore and srpcore_transports are counted, in the calling thread. Everything is warm: modules are
imported and a first call was made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "transports")]
FOLDERS = (str(ROOT / "srpcore") + "/", str(ROOT / "transports") + "/")
PASSWORD = "Correct-Horse-1"


def trace(title: str, call: Callable[[], object]) -> tuple[str, tuple[int, int, int]]:
    """Return *title*, and the numbers of calls, files and moves of *call*. Print the calls if that was asked for."""
    calls, moves = 0, 0
    files: set[str] = set()
    stack: list[str] = []
    lines = [title]

    def profile(frame: Any, event: str, _: object) -> None:
        nonlocal calls, moves
        name = frame.f_code.co_filename
        if not name.startswith(FOLDERS):
            return
        if event == "call":
            calls += 1
            files.add(name)
            moved = bool(stack) and stack[-1] != name
            moves += moved
            stack.append(name)
            mark, place = "* " if moved else "  ", name.removeprefix(f"{ROOT}/")
            lines.append(f"{'  ' * len(stack)}{mark}{place}: {frame.f_code.co_qualname}")
        elif event == "return" and stack:
            stack.pop()

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    if sys.argv[1:] and sys.argv[1] in title:
        print("\n".join(lines))
    return title, (calls, len(files), moves)


def main() -> None:
    """Print a row for each call."""
    from srpcore import Cognito, TokenVerifier
    from srpcore.protocol import Operation
    from srpcore_transports.local import LocalUserPool
    from srpcore_transports.local.operations import dispatch

    def create_user(pool: Any) -> None:
        of_user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**of_user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": PASSWORD, "Permanent": True}))

    rows: list[tuple[str, tuple[int, int, int]]] = []
    with LocalUserPool(region="eu-west-1") as pool:
        create_user(pool)
        # The server answers in threads of its own, which are not traced.
        with pool.serve() as server:
            settings: dict[str, Any] = {"username": "alice", "endpoint_url": server.url}
            Cognito(pool.user_pool_id, pool.client_id, **settings).authenticate(PASSWORD)
            user = Cognito(pool.user_pool_id, pool.client_id, **settings)
            rows.append(trace("Cognito.authenticate over HTTP", lambda: user.authenticate(PASSWORD)))
            user.close()
        user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
        user.authenticate(PASSWORD)
        token = user.access_token or ""
        verifier = TokenVerifier(pool.user_pool_id, client_id=pool.client_id, token_use="access")
        verifier.load_jwks(user.get_keys())
        verifier.verify(token)
        rows.append(trace("TokenVerifier.verify, warm", lambda: verifier.verify(token)))
        user.verify_token(token, "access_token", "access")
        rows.append(trace("Cognito.verify_token, warm", lambda: user.verify_token(token, "access_token", "access")))
        rows.append(trace("Cognito.get_users in process", user.get_users))
        parameters = {"USERNAME": "alice", "SRP_A": f"{2**255:x}"}
        body = json.dumps({"AuthFlow": "USER_SRP_AUTH", "ClientId": pool.client_id, "AuthParameters": parameters})
        service: Any = vars(pool)["_service"]
        rows.append(
            trace("InitiateAuth in the local pool", lambda: dispatch.answer(service, "InitiateAuth", body.encode()))
        )
    print(f"{'call':32}{'calls':>7}{'files':>7}{'moves':>7}")
    for name, (calls, files, moves) in rows:
        print(f"{name:32}{calls:7}{files:7}{moves:7}")


if __name__ == "__main__":
    main()
