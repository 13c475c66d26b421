"""Every refusal is one line of JSON, in the form of OpenAI's errors."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vljepa.data.decoders import Undecodable
from vljepa.errors import UserError
from vljepa.serve.worker import Busy

RETRY_AFTER = "1"
"""Seconds."""
_log = logging.getLogger("uvicorn.error")


class Refused(Exception):
    """A request that is not granted.

    Args:
        status: of HTTP.
        message: one line.
        param: the field at fault.
    """

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


def refusal(status: int, message: str, param: str | None = None) -> JSONResponse:
    """The response that says no."""
    kind = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 503: "overloaded_error"}
    error = {
        "message": " ".join(message.split()),
        "type": kind.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": param,
        "code": status,
    }
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": RETRY_AFTER}}.get(status)
    return JSONResponse({"error": error}, status, headers)


def add_handlers(app: FastAPI) -> None:
    """Answer every exception of a route in that form."""

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return refusal(error.status, str(error), error.param)

    @app.exception_handler(UserError)
    def user_error(_: Request, error: UserError) -> JSONResponse:
        return refusal(422, str(error))

    @app.exception_handler(Undecodable)
    def undecodable(_: Request, error: Undecodable) -> JSONResponse:
        return refusal(422, str(error), "file")

    @app.exception_handler(Busy)
    def busy(_: Request, error: Busy) -> JSONResponse:
        return refusal(503, "too many requests wait for the model; try again")

    @app.exception_handler(TimeoutError)
    def late(_: Request, error: TimeoutError) -> JSONResponse:
        return refusal(503, "the request took too long and was given up; try again")

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        response = refusal(error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = error.errors()[0]
        # "body" and "query" say where a field came from, not which one it is.
        place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        malformed = first["type"] == "json_invalid"
        # OpenAI's clients expect 400 where others expect 422.
        status = 400 if malformed or request.url.path == "/v1/embeddings" else 422
        return refusal(status, f"{place}: {first['msg']}", None if malformed else place)

    @app.exception_handler(Exception)
    def defect(_: Request, error: Exception) -> JSONResponse:
        _log.error("internal error", exc_info=error)
        return refusal(500, "internal error; the server's log has more")
