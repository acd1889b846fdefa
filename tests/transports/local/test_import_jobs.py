"""Import users from a CSV file that is uploaded over HTTP. boto3 is the client."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from srpcore_transports.local.operations import import_jobs
from support.users import OTHER_PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.counterpart

ROLE = "arn:aws:iam::000000000000:role/import"


def create(boto: Any, client: Client, name: str = "job") -> dict[str, Any]:
    made: dict[str, Any] = boto.create_user_import_job(
        UserPoolId=client.pool_id, JobName=name, CloudWatchLogsRoleArn=ROLE
    )["UserImportJob"]
    return made


def upload(url: str, file: bytes) -> int:
    request = urllib.request.Request(url, file, {"x-amz-server-side-encryption": "aws:kms"}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def csv_file(boto: Any, client: Client, *users: dict[str, str]) -> bytes:
    header = boto.get_csv_header(UserPoolId=client.pool_id)["CSVHeader"]
    rows = [",".join(user.get(name.removeprefix("cognito:"), "") for name in header) for user in users]
    return "\n".join([",".join(header), *rows]).encode()


def user(username: str, **attributes: str) -> dict[str, str]:
    address = {"email": f"{username}@example.com", "email_verified": "TRUE", "mfa_enabled": "false"}
    return {"username": username, **address, **attributes}


def start(boto: Any, client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """Start the job, and return its description afterwards."""
    named = {"UserPoolId": client.pool_id, "JobId": job["JobId"]}
    assert boto.start_user_import_job(**named)["UserImportJob"]["Status"] == "Pending"
    described: dict[str, Any] = boto.describe_user_import_job(**named)["UserImportJob"]
    return described


def counts(job: dict[str, Any]) -> tuple[int, int, int]:
    return job["ImportedUsers"], job["SkippedUsers"], job["FailedUsers"]


def test_users_are_imported_skipped_and_refused(boto: Any, client: Client) -> None:
    client.user("bob")
    job = create(boto, client)
    assert job["Status"] == "Created"
    users = [
        user("alice", name="Doe\\, Alice", phone_number="+15550100", mfa_enabled="true"),
        user("bob"),
        user("carol", email_verified="false"),
        user("dave", email="not an address"),
        user(""),
        user("erin", email=""),
    ]
    assert upload(job["PreSignedUrl"], csv_file(boto, client, *users)) == 200
    client.clock.now += 5
    done = start(boto, client, job)
    assert (done["Status"], counts(done)) == ("Succeeded", (1, 1, 4))
    assert done["CompletionDate"] == done["StartDate"]
    alice = boto.admin_get_user(UserPoolId=client.pool_id, Username="alice")
    assert (alice["UserStatus"], alice["UserMFASettingList"]) == ("RESET_REQUIRED", ["SMS_MFA"])
    found = {entry["Name"]: entry["Value"] for entry in alice["UserAttributes"]}
    assert (found["name"], found["email_verified"]) == ("Doe, Alice", "true")
    assert [each["Username"] for each in boto.list_users(UserPoolId=client.pool_id)["Users"]] == ["bob", "alice"]
    with refused("PasswordResetRequiredException"):
        client.log_in()
    boto.forgot_password(ClientId=client.client_id, Username="alice")
    boto.confirm_forgot_password(
        ClientId=client.client_id,
        Username="alice",
        ConfirmationCode=client.pool.outbox.latest("alice").code,
        Password=OTHER_PASSWORD,
    )
    assert client.log_in(password=OTHER_PASSWORD)["ChallengeName"] == "SMS_MFA"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "header"),
        (b"name,email\n", "header"),
        (b"\xff\xfe", "codec"),
        (None, "Line 2 of the CSV file has 2 columns"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_job(boto: Any, client: Client, file: bytes | None, message: str) -> None:
    job = create(boto, client)
    assert upload(job["PreSignedUrl"], csv_file(boto, client) + b"\na,b" if file is None else file) == 200
    done = start(boto, client, job)
    assert done["Status"] == "Failed"
    assert message in done["CompletionMessage"]


def test_a_job_is_started_once_and_within_a_day(boto: Any, client: Client) -> None:
    first, second = create(boto, client, "first"), create(boto, client, "second")
    start(boto, client, first)
    for operation in (boto.start_user_import_job, boto.stop_user_import_job):
        with pytest.raises(boto.exceptions.PreconditionNotMetException, match="Failed"):
            operation(UserPoolId=client.pool_id, JobId=first["JobId"])
    client.clock.now += 86400
    with pytest.raises(boto.exceptions.PreconditionNotMetException, match="Expired"):
        boto.start_user_import_job(UserPoolId=client.pool_id, JobId=second["JobId"])
    listed = boto.list_user_import_jobs(UserPoolId=client.pool_id, MaxResults=1)
    assert [job["JobName"] for job in listed["UserImportJobs"]] == ["second"]
    following = boto.list_user_import_jobs(
        UserPoolId=client.pool_id, MaxResults=60, PaginationToken=listed["PaginationToken"]
    )
    assert [job["JobName"] for job in following["UserImportJobs"]] == ["first"]
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.describe_user_import_job(UserPoolId=client.pool_id, JobId="import-unknown")


def test_a_job_needs_an_attribute_that_is_verified_automatically(boto: Any, client: Client) -> None:
    boto.update_user_pool(UserPoolId=client.pool_id)
    job = create(boto, client)
    with pytest.raises(boto.exceptions.PreconditionNotMetException, match="auto-verified"):
        boto.start_user_import_job(UserPoolId=client.pool_id, JobId=job["JobId"])
    with pytest.raises(boto.exceptions.InvalidParameterException, match="hashes of passwords"):
        boto.create_user_import_job(
            UserPoolId=client.pool_id, JobName="j", CloudWatchLogsRoleArn=ROLE, PasswordHashingAlgorithm="BCRYPT"
        )


def test_only_the_url_of_the_job_takes_a_file_and_only_for_15_minutes(boto: Any, client: Client) -> None:
    job, other = create(boto, client), create(boto, client)
    url = job["PreSignedUrl"]
    assert upload(url.replace(job["JobId"], other["JobId"]), b"x") == 403
    assert upload(url[:-1] + ("0" if url[-1] != "0" else "1"), b"x") == 403
    assert upload(url.replace("expires=", "expires=9"), b"x") == 403
    assert upload(url.partition("?")[0], b"x") == 403
    assert upload(url, csv_file(boto, client)) == 200
    client.clock.now += 900
    assert upload(url, b"x") == 403
    assert start(boto, client, job)["Status"] == "Succeeded"


def test_a_server_with_a_control_endpoint_takes_the_file(boto: Any, client: Client) -> None:
    url = create(boto, client)["PreSignedUrl"]
    with client.pool.serve(control=True) as server:
        assert upload(server.url + url[url.index("/", len("http://")) :], b"x") == 200


def test_an_exported_pool_has_the_file(boto: Any, client: Client) -> None:
    job = create(boto, client)
    upload(job["PreSignedUrl"], csv_file(boto, client, user("alice")))
    document = client.pool.export_pool()
    boto.delete_user_pool(UserPoolId=client.pool_id)
    client.pool.import_pool(document)
    assert counts(start(boto, client, job)) == (1, 0, 0)


def test_a_running_job_lets_other_requests_in_and_can_be_stopped(
    boto: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, paused, resumed = create(boto, client), threading.Event(), threading.Event()

    def outside(function: Callable[[], object]) -> Any:
        def wait() -> object:
            result = function()
            paused.set()
            resumed.wait(10)
            return result

        return (yield wait)

    monkeypatch.setattr(import_jobs, "outside", outside)
    users = [user(f"user{number}") for number in range(50)]
    upload(job["PreSignedUrl"], csv_file(boto, client, *users))
    named = {"UserPoolId": client.pool_id, "JobId": job["JobId"]}
    thread = threading.Thread(target=client.call, args=("StartUserImportJob",), kwargs=named)
    thread.start()
    assert paused.wait(10)
    with pytest.raises(boto.exceptions.UserImportInProgressException):
        boto.add_custom_attributes(
            UserPoolId=client.pool_id, CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}]
        )
    assert boto.stop_user_import_job(**named)["UserImportJob"]["Status"] == "Stopping"
    resumed.set()
    thread.join()
    done = boto.describe_user_import_job(**named)["UserImportJob"]
    assert (done["Status"], counts(done)) == ("Stopped", (20, 0, 0))
