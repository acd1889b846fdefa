"""The command line: ``python -m conformance`` plays the probes and prints a table of probe, target and result."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.model import signing
from support.rsa_keys import next_key

from . import (
    aws,
    differences,
    subjects,  # noqa: F401 - registers the probes
)
from .probes import ALL, CannotRun
from .runner import Outcome, Result, play_all, table
from .targets import FAKE_KEYS, InProcess, Target, ministack_target, served_pool

TARGETS = ("local", "http", "ministack")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 if a result is not the expected one."""
    options = _parser().parse_args(arguments)
    if options.aws or options.clean:
        return _in_the_account(options)
    _use_few_signing_keys()
    results: list[Result] = []
    for name in options.target or TARGETS:
        with contextlib.ExitStack() as stack:
            try:
                target, listed = _start(name, stack)
            except CannotRun as error:
                print(error, file=sys.stderr)
                return 2
            probes = [probe for probe in ALL.values() if options.only in probe.name]
            results += play_all(probes, target, listed, lambda result: None)
    return _print(results, everything=options.all)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("--target", action="append", choices=TARGETS, help="a server to ask; may be repeated")
    parser.add_argument("--only", default="", metavar="WORD", help="only probes with this word in the name")
    parser.add_argument("--all", action="store_true", help="also list the probes that are right")
    account = parser.add_argument_group("in your AWS account", aws.__doc__)
    account.add_argument("--aws", action="store_true", help="play the probes there, and record redacted answers")
    account.add_argument("--clean", action="store_true", help="delete the pools that an earlier run left behind")
    account.add_argument("--region", help="the AWS region")
    account.add_argument("--ses-identity", metavar="ARN", help="an identity in Amazon SES, for codes by e-mail")
    account.add_argument("--record", type=Path, default=Path("build/conformance-aws.json"), metavar="FILE")
    return parser


def _start(name: str, stack: contextlib.ExitStack) -> tuple[Target, dict[str, str]]:
    if name == "ministack":
        return stack.enter_context(ministack_target()), differences.MINISTACK
    if name == "http":
        return stack.enter_context(served_pool()), differences.WRONG_TODAY
    return InProcess(LocalUserPool(credentials=FAKE_KEYS)), differences.WRONG_TODAY


def _use_few_signing_keys() -> None:
    # It takes a tenth of a second to generate one, and each pool that issues a token has its own.
    signing.generate = next_key


def _in_the_account(options: argparse.Namespace) -> int:
    try:
        aws.require_consent()
        if not options.region:
            raise aws.NotAllowed("name the region: --region eu-central-1")
    except aws.NotAllowed as error:
        print(error, file=sys.stderr)
        return 2
    target = aws.aws_target(options.region, ses_identity=options.ses_identity)
    if options.clean:
        with contextlib.closing(target):
            print("\n".join(aws.clean(target)) or "no pool of an earlier run was found")
        return 0
    keys = target.credentials()
    secrets = (keys.access_key_id, keys.secret_access_key, keys.session_token or "")
    # End as after Ctrl-C, so that the pools are deleted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results = aws.record(
        target,
        secrets,
        options.record,
        lambda result: print(f"{result.probe.name}: {result.outcome.value}", flush=True),
        only=lambda name: options.only in name,
    )
    print(f"recorded in {options.record}: read it before you give it to anybody")
    return _print(results, everything=options.all)


def _print(results: list[Result], *, everything: bool) -> int:
    print(table(results, everything=everything))
    for target in dict.fromkeys(result.target for result in results):
        counted = [result.outcome for result in results if result.target == target]
        words = ", ".join(f"{counted.count(outcome)} {outcome.value}" for outcome in Outcome if outcome in counted)
        print(f"{target}: {len(counted)} probes: {words}")
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
