"""Write all users of a pool to a CSV file, one page at a time, so that a large pool needs little memory.

    python export_users.py eu-west-1_AbCd12345 users.csv

It needs AWS credentials with the permission cognito-idp:ListUsers. `srpcore users export` does more: it goes on after
an interruption, and writes groups.
"""

import csv
import sys
from pathlib import Path

from srpcore import Cognito

ATTRIBUTES = ("sub", "email", "email_verified", "phone_number", "name")


def main(pool_id: str, path: str, endpoint_url: str | None = None) -> int:
    """Write the file, and return the number of users."""
    count = 0
    with (
        Cognito(pool_id, "", endpoint_url=endpoint_url) as pool,
        Path(path).open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("username", *ATTRIBUTES))
        for user in pool.iter_users():
            writer.writerow((user.username, *(getattr(user, name, "") for name in ATTRIBUTES)))
            count += 1
            print(f"\r{count} users", end="", file=sys.stderr)
    print(file=sys.stderr)
    return count


if __name__ == "__main__":
    main(*sys.argv[1:])
