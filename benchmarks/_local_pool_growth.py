"""One process with a growing local pool: the time of operations, and the memory of a user. See local_pool.py.

python benchmarks/_local_pool_growth.py 10 100 1000 10000 100000   # prints one line of JSON for each number of users
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any
from unittest import mock

from srpcore.crypto import cognito
from srpcore.service_client import ServiceClient
from srpcore_transports.local import LocalUserPool

PASSWORD = "Correct-Horse-1"
A = f"{3 * cognito.GROUP.N // 4:x}"


def resident_mib() -> float | None:
    """Return the resident memory of this process; None on a system without /proc."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        return None
    return None if found is None else int(found[1]) / 1024


def microseconds(call: Callable[[], object], count: int) -> float:
    """Return the CPU time of one call: the least of three measurements of *count* calls."""
    least = float("inf")
    for _ in range(3):
        start = process_time()
        for _ in range(count):
            call()
        least = min(least, (process_time() - start) / count)
    return least * 1e6


class Growing:
    """A pool with e-mail addresses as aliases, and as many users as are asked for."""

    def __init__(self) -> None:
        self.pool = LocalUserPool(pool_settings={"AliasAttributes": ["email"]})
        self.client = ServiceClient(self.pool, self.pool.region)
        self.users = 0
        # Adding users by the operation would take minutes, all of it SRP. All have one verifier, of no password.
        self.verifier = cognito.verifier(cognito.private_key("poolAlice", PASSWORD, 1))

    def create(self) -> None:
        number = f"{self.users:07d}"
        attributes = {"email": f"user{number}@example.com", "email_verified": "true", "name": f"User {number}"}
        self.client.admin_create_user(
            UserPoolId=self.pool.user_pool_id,
            Username=f"user{number}",
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        self.users += 1

    def grow(self, users: int) -> None:
        with mock.patch.object(cognito, "verifier", return_value=self.verifier):
            while self.users < users:
                self.create()

    def initiate(self, username: str) -> None:
        self.client.initiate_auth(
            ClientId=self.pool.client_id,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": username, "SRP_A": A},
        )

    def page(self, **parameters: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.client.list_users(UserPoolId=self.pool.user_pool_id, Limit=10, **parameters)
        return reply

    def token(self, pages: int) -> str:
        """Return the token of the page after so many pages of 10."""
        reply = self.page()
        for _ in range(pages - 1):
            reply = self.page(PaginationToken=reply["PaginationToken"])
        return str(reply["PaginationToken"])

    def measure(self) -> dict[str, float]:
        """Return microseconds by what was done."""
        middle = f"user{self.users // 2:07d}"
        found = {
            "InitiateAuth by name": microseconds(lambda: self.initiate(middle), 20),
            "InitiateAuth by e-mail address": microseconds(lambda: self.initiate(f"{middle}@example.com"), 20),
            "first page": microseconds(self.page, 50),
        }
        if self.users >= 100:
            for what, pages in (("middle page", self.users // 20), ("last page", self.users // 10 - 1)):
                found[what] = microseconds(partial(self.page, PaginationToken=self.token(pages)), 50)
        equal, begins = f'email = "{middle}@example.com"', 'name ^= "User 000000"'
        found["search for an address"] = microseconds(lambda: self.page(Filter=equal), 50)
        found["search for a prefix, 10 users"] = microseconds(lambda: self.page(Filter=begins), 50)
        with mock.patch.object(cognito, "verifier", return_value=self.verifier):
            found["AdminCreateUser, without SRP"] = microseconds(self.create, 10)
        return found


def main() -> None:
    growing = Growing()
    growing.grow(1)
    before = resident_mib()
    for count in map(int, sys.argv[1:]):
        growing.grow(count)
        after = resident_mib()
        users_mib = None if before is None or after is None else round(after - before, 1)
        print(json.dumps({"users": count, "users_mib": users_mib, "microseconds": growing.measure()}), flush=True)


if __name__ == "__main__":
    main()
