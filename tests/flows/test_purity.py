"""A flow is pure: while one is advanced, no driver starts, and no file or socket is opened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEARCH_PATH = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'transports'), str(ROOT / 'tests')]!r}"

# The audit hook cannot be removed, so the program runs in a process of its own. Modules are imported first: imports
# open files too.
PROGRAM = """
import asyncio, sys
from pathlib import Path
import srpcore, srpcore.driver
from srpcore.store import FileStore
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.clock import Clock
from support.users import PASSWORD

advancing, refused = [], []
real = srpcore.driver._advance

def advance(resume, answer):
    advancing.append(True)
    try:
        return real(resume, answer)
    finally:
        advancing.pop()

def hook(event, arguments):
    impure = event in ("srpcore.run", "open") or event.startswith(("os.", "socket.", "subprocess."))
    if advancing and impure and not (event == "open" and str(arguments[0]).endswith((".pyc", ".py"))):
        refused.append(event)

clock = Clock()
pool = LocalUserPool(region="eu-west-1", clock=clock)
of_user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
pool.call(Operation("AdminCreateUser", {**of_user, "MessageAction": "SUPPRESS"}))
pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": PASSWORD, "Permanent": True}))

def user(cls=srpcore.Cognito):
    return cls(pool.user_pool_id, pool.client_id, username="alice", transport=pool, store=FileStore(STORE), clock=clock)

def story():
    one = user()
    one.authenticate(PASSWORD)
    clock.ahead += 3700
    one.change_password(PASSWORD, PASSWORD + "2"), one.change_password(PASSWORD + "2", PASSWORD)
    one.update_profile({"name": "Alice"})
    step = one.sign_in(PASSWORD)
    assert step.done
    other = user()
    assert other.restore()
    other.verify_tokens()
    other.renew_access_token()
    one.renew_access_token()
    other.get_users()
    list(other.iter_users())
    other.logout()

async def async_story():
    one = user(srpcore.AsyncCognito)
    await one.authenticate(PASSWORD)
    clock.ahead += 3700
    assert await one.check_token()
    assert await one.restore()
    await one.verify_tokens()
    await one.logout()
    await one.close()

story(), asyncio.run(async_story())  # once to import everything, once to watch
sys.addaudithook(hook)
srpcore.driver._advance = advance
story(), asyncio.run(async_story())
print(refused)
"""


@pytest.mark.slow
def test_no_io_happens_while_a_flow_is_advanced(tmp_path: Path) -> None:
    program = f"{SEARCH_PATH}; STORE = {json.dumps(str(tmp_path / 'logins.json'))}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_the_audit_hook_finds_io() -> None:
    """Check the watch itself on a flow that opens a file, starts a driver and lists a folder."""
    start = PROGRAM.index("clock = Clock()")
    program = (
        f"{SEARCH_PATH}\n{PROGRAM[:start]}"
        "import os\n"
        "def empty():\n    return\n    yield\n"
        "def impure():\n"
        "    open('/dev/null').close()\n"
        "    srpcore.driver.run(empty(), None)\n"
        "    os.listdir()\n"
        "    yield from ()\n"
        "sys.addaudithook(hook)\nsrpcore.driver._advance = advance\n"
        "srpcore.driver.run(impure(), None)\nprint(sorted(set(refused)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "'open'" in done.stdout, done.stderr
    assert "'srpcore.run'" in done.stdout
    assert "'os.listdir'" in done.stdout
