"""The probes in somebody's AWS account: only with an explicit consent, never in CI, and without anything left behind.

What happens there: user pools named ``srpcore-conformance-<random>-<number>`` are created, with app clients, users and
domains in them, and deleted. No SMS is sent. About 16 e-mails go to the mailbox simulator of Amazon SES, where nobody
reads them. A pool that could not be deleted is named at the end, and ``--clean`` deletes all pools with that name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from srpcore_transports.credentials import Credentials, DefaultCredentials

from .probes import ALL
from .recording import Recorder
from .runner import Result, play
from .stage import Stage
from .targets import HttpTarget, Target, call

__all__ = ["CONSENT", "PREFIX", "NotAllowed", "aws_target", "clean", "record", "require_consent"]

PREFIX = "srpcore-conformance"
CONSENT = "create and delete user pools"
_VARIABLE = "SRPCORE_CONFORMANCE_CONSENT"
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)


class NotAllowed(Exception):
    """The person has not agreed that their account is used."""


def require_consent(environment: Mapping[str, str] = os.environ) -> None:
    """Check that the person who runs this has agreed.

    Raises:
        NotAllowed: the variable SRPCORE_CONFORMANCE_CONSENT is not set to the words, or this is a CI job.
    """
    if environment.get("CI"):
        raise NotAllowed("never run in CI: the variable CI is set")
    if environment.get(_VARIABLE) != CONSENT:
        raise NotAllowed(
            "this creates user pools in your AWS account, and deletes them again. It may cost a few cents. "
            f"If you agree, set {_VARIABLE}={CONSENT!r}"
        )


def aws_target(
    region: str,
    *,
    url: str | None = None,
    credentials: Callable[[], Credentials] | None = None,
    ses_identity: str | None = None,
) -> HttpTarget:
    """Return the service in *region* as a target.

    Args:
        url: another address than the service's, for a test of this module.
        credentials: returns the keys; by default they are looked for as every AWS SDK does.
        ses_identity: the ARN of an identity in Amazon SES that may send e-mail codes.
    """
    sender = None if ses_identity is None else {"EmailSendingAccount": "DEVELOPER", "SourceArn": ses_identity}
    return HttpTarget(
        "AWS",
        url or f"https://cognito-idp.{region}.amazonaws.com",
        region,
        credentials or DefaultCredentials(region),
        # https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
        address="success+{}@simulator.amazonses.com".format,
        pauses=_PAUSES,
        sender=sender,
    )


def record(
    target: HttpTarget,
    secrets: tuple[str, ...],
    path: Path,
    report: Callable[[Result], None],
    *,
    only: Callable[[str], bool] = lambda name: True,
) -> list[Result]:
    """Play the probes, delete what they created, and write the recording to *path*.

    The pools are deleted however this ends, an interrupt included.

    Args:
        secrets: what must not be in the recording in any case: the keys.
        only: returns whether the probe of a name is played.

    Raises:
        LeftBehind: a pool could not be deleted.
        Leak: the recording would have something that must not be in it; it is not written.
    """
    recorder = Recorder(target, secrets)
    stage, results = Stage(recorder, PREFIX), list[Result]()
    try:
        with closing(target), closing(stage):
            for probe in [probe for probe in ALL.values() if only(probe.name)]:
                results.append(play(probe, stage, {}))
                recorder.finish(results[-1])
                report(results[-1])
    finally:
        # Also what was recorded before an interrupt is worth something.
        recorder.save(path)
    return results


def clean(target: Target) -> list[str]:
    """Delete all pools of earlier runs in the account and region, and return their names.

    Raises:
        LeftBehind: a pool could not be deleted. The others are deleted first.
    """
    stage, found, token = Stage(target, PREFIX), dict[str, str](), dict[str, str]()
    while True:
        page = call(target, "ListUserPools", {"MaxResults": 60, **token})
        found |= {pool["Id"]: pool["Name"] for pool in page["UserPools"] if pool["Name"].startswith(f"{PREFIX}-")}
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    stage.remaining = dict(found)
    stage.close()
    return sorted(found.values())
