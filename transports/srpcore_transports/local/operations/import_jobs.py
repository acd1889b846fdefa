"""The operations on jobs that import users from a CSV file, and the upload of the file.

::

    CreateUserImportJob --> Created --(PUT to PreSignedUrl)--> Created
                               |   StartUserImportJob
                               +--> Pending --> InProgress --> Succeeded, or Failed if the file cannot be read
                               |                    |   StopUserImportJob
                               |                    +--> Stopping --> Stopped
                               +--> Expired, if it was not started within a day

The job runs while StartUserImportJob is answered. What is in the file is described in ``imported_users.py``.
"""

from __future__ import annotations

import base64
import csv
import hmac
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, present, string
from ..model.aws_names import NOT_SERVED
from ..model.clock import DAY
from ..model.pools import PoolRecord, Resource
from ..model.secret_values import equal
from ..steps import Step, outside
from ..storage import pages
from ..storage.service import Service
from ..storage.state import Handler, State
from . import imported_users

__all__ = ["OPERATIONS", "UPLOADS", "end_interrupted", "is_running", "receive"]

UPLOADS = "/_srpcore/import/"
"""The path of PreSignedUrl, without the id of the job."""

_URL_SECONDS, _LONGEST_TIME = 900, 20
_PAGE_LIMIT = 50
_MOST_JOBS = 1000  # Source: Amazon Cognito developer guide, "Quotas in Amazon Cognito".
_BATCH = 20
_SHOWN = (
    "JobName UserPoolId PreSignedUrl StartDate CompletionDate Status CloudWatchLogsRoleArn ImportedUsers SkippedUsers "
    "FailedUsers CompletionMessage"
).split()


def get_csv_header(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetCSVHeader."""
    pool = state.pool(string(parameters, "UserPoolId"))
    return {"UserPoolId": pool.id, "CSVHeader": imported_users.header(pool)}


def create_user_import_job(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserImportJob: for 15 minutes a PUT to PreSignedUrl uploads the file."""
    pool, now = state.pool(string(parameters, "UserPoolId")), state.clock()
    if parameters.get("PasswordHashingAlgorithm") is not None:
        raise invalid_parameter("The local pool does not import hashes of passwords.")
    if len(state.import_jobs.all(pool)) >= _MOST_JOBS:
        raise Refusal("LimitExceededException", f"A user pool can have at most {_MOST_JOBS} user import jobs.")
    job_id, expires = f"import-{uuid.uuid4()}", int(now + _URL_SECONDS)
    query = f"expires={expires}&signature={_signature(state, job_id, expires)}"
    settings = {
        **present(parameters, "JobName", "CloudWatchLogsRoleArn"),
        "UserPoolId": pool.id,
        "PreSignedUrl": f"{state.url or NOT_SERVED}{UPLOADS}{job_id}?{query}",
        "Status": "Created",
        "ImportedUsers": 0,
        "SkippedUsers": 0,
        "FailedUsers": 0,
    }
    return _answer(state, state.import_jobs.add(pool, job_id, Resource(job_id, now, now, settings)))


def _signature(state: State, job_id: str, expires: int) -> str:
    return hmac.digest(state.service.page_secret, f"import {job_id} {expires}".encode(), "sha256").hex()


def receive(state: State, job_id: str, query: str, body: bytes) -> None:
    """Store an uploaded file.

    Raises:
        Refusal: the URL is not one that CreateUserImportJob has returned within the last 15 minutes, or the job was
            started.
    """
    given = parse_qs(query)
    expires, signature = "".join(given.get("expires", [])), "".join(given.get("signature", []))
    if (
        not expires.isascii()
        or not expires.isdecimal()
        or len(expires) > _LONGEST_TIME
        or not equal(signature, _signature(state, job_id, int(expires)))
    ):
        raise Refusal("AccessDenied", "The signature of the URL is not valid.", 403)
    if int(expires) <= state.clock():
        raise Refusal("AccessDenied", "Request has expired", 403)
    job = state.import_jobs.find(job_id)
    if job is None or job.settings["Status"] != "Created":
        raise Refusal("AccessDenied", "The user import job does not exist, or was started already.", 403)
    # In base64, because an exported pool is JSON, which has no bytes.
    job.settings["File"] = base64.b64encode(body).decode("ascii")


def _pool_and_job(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, job_id = state.pool(string(parameters, "UserPoolId")), string(parameters, "JobId")
    job = state.import_jobs.get(pool, job_id)
    if job is None:
        raise not_found(f"User import job {job_id} does not exist.")
    return pool, job


def _answer(state: State, job: Resource) -> dict[str, Any]:
    return {"UserImportJob": _job_fields(state, job)}


def _job_fields(state: State, job: Resource) -> dict[str, Any]:
    """Return the members of a UserImportJobType.

    Also set the status of a job that was not started within a day to Expired.
    """
    if job.settings["Status"] == "Created" and state.clock() >= job.created + DAY:
        job.settings |= {"Status": "Expired", "CompletionMessage": "The user import job has expired."}
    return {"JobId": job.name, "CreationDate": job.created, **present(job.settings, *_SHOWN)}


def describe_user_import_job(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserImportJob."""
    return _answer(state, _pool_and_job(state, parameters)[1])


def list_user_import_jobs(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserImportJobs, the newest first, with at most 50 per page: the service model's limit for them."""
    pool = state.pool(string(parameters, "UserPoolId"))
    newest = state.import_jobs.all(pool)[::-1]
    page, following = pages.requested_page(
        state, parameters, newest, limit="MaxResults", token="PaginationToken", most=_PAGE_LIMIT
    )
    return {"UserImportJobs": [_job_fields(state, job) for job in page], **following}


def start_user_import_job(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer StartUserImportJob; the pool must verify e-mail addresses or phone numbers automatically."""
    pool, job = _pool_and_job(state, parameters)
    if not pool.names("AutoVerifiedAttributes"):
        raise _precondition_not_met("The user pool does not have an auto-verified attribute.")
    if _job_fields(state, job)["Status"] != "Created":
        raise _precondition_not_met(f"The user import job cannot be started: its status is {job.settings['Status']}.")
    job.settings |= {"Status": "Pending", "StartDate": state.clock()}
    answer = _answer(state, job)
    yield from _run(state, pool, job)
    return answer


def _precondition_not_met(message: str) -> Refusal:
    return Refusal("PreconditionNotMetException", message)


def is_running(job: Resource) -> bool:
    """Return whether *job* was started and has not ended."""
    return job.settings["Status"] in ("Pending", "InProgress", "Stopping")


def end_interrupted(state: State) -> None:
    """Mark as failed all jobs that were still running when their process ended."""
    for job in filter(is_running, state.import_jobs.of_all_pools()):
        _finish(state, job, "Failed", "The server was stopped during the user import job.")


def stop_user_import_job(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer StopUserImportJob: the users that were imported stay."""
    _, job = _pool_and_job(state, parameters)
    if job.settings["Status"] not in ("Pending", "InProgress"):
        raise _precondition_not_met(f"The user import job cannot be stopped: its status is {job.settings['Status']}.")
    job.settings["Status"] = "Stopping"
    return _answer(state, job)


def _run(state: State, pool: PoolRecord, job: Resource) -> Step[None]:
    job.settings["Status"] = "InProgress"
    rows = imported_users.read(pool, base64.b64decode(job.settings.pop("File", "")))
    try:
        while batch := list(islice(rows, _BATCH)):
            for count in (yield from outside(partial(_import_batch, state.service, pool.id, batch))):
                job.settings[count] += 1
            # Meanwhile, other requests may have stopped the job, or deleted the pool.
            if state.import_jobs.get(pool, job.name) is not job:
                return
            if job.settings.get("Status") == "Stopping":
                return _finish(state, job, "Stopped", "The user import job was stopped.")
    except (csv.Error, ValueError) as error:
        return _finish(state, job, "Failed", str(error))
    return _finish(state, job, "Succeeded", "Import Job Completed Successfully.")


def _import_batch(service: Service, pool_id: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Import some users, and return the names of the counts to increase.

    It is a request of its own: one that adds thousands of users would have to compare all of them for each statement.
    """

    def import_rows(state: State) -> list[str]:
        pool = state.pools.get(None, pool_id)
        return [] if pool is None else [imported_users.add(state, pool, row) for row in rows]

    return State(service).run(import_rows)


def _finish(state: State, job: Resource, status: str, message: str) -> None:
    job.settings |= {"Status": status, "CompletionMessage": message[:128], "CompletionDate": state.clock()}


OPERATIONS: dict[str, Handler] = {
    "GetCSVHeader": get_csv_header,
    "CreateUserImportJob": create_user_import_job,
    "DescribeUserImportJob": describe_user_import_job,
    "ListUserImportJobs": list_user_import_jobs,
    "StartUserImportJob": start_user_import_job,
    "StopUserImportJob": stop_user_import_job,
}
