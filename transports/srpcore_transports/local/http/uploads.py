"""The upload of a CSV file to the PreSignedUrl of a user import job. The URL itself authorizes it, as in Amazon S3."""

from __future__ import annotations

from ..operations import import_jobs
from ..operations.dispatch import Response
from ..storage.service import Service
from ..storage.state import State
from .request_reader import Request

__all__ = ["accepts", "receive"]


def accepts(request: Request) -> bool:
    """Return whether *request* is the upload of a CSV file."""
    return request.method == "PUT" and request.path.startswith(import_jobs.UPLOADS)


def receive(service: Service, request: Request) -> Response:
    """Store the uploaded file, and return an empty response.

    Raises:
        Refusal: the URL is not valid.
    """
    job_id = request.path.removeprefix(import_jobs.UPLOADS)
    State(service).run(lambda state: import_jobs.receive(state, job_id, request.query, request.body))
    return Response(200, {"content-length": "0"}, b"")
