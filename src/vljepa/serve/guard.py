"""What every connection passes before a route sees it: who asks, from where, and how much at once."""

import asyncio
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vljepa.serve.errors import refusal
from vljepa.serve.settings import LOOPBACK, ServeConfig

COOKIE = "vljepa_token"
"""Holds the token for the page, whose videos and sockets can send no header."""
_OPEN = ("/", "/health")
"""Paths that need no token: ``/`` asks for it."""
_JSON_BYTES = 16 << 20
_FORM_SLACK = 1 << 20
"""Bytes of a form beside its file."""
_IDLE_SECONDS = 30.0
"""A body that sends nothing for so long is given up."""


class Guard:
    """ASGI middleware.

    A browser sends requests in the name of whoever sits before it, from any page that is open: requests of another
    origin are refused, and without a token so are names for this host that other people could own.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self.app = app
        self._config = config
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        status, reason = self._stranger(scope["path"], headers)
        if status:
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 1008, "reason": reason})
            return await refusal(status, reason)(scope, receive, send)
        if scope["type"] == "websocket" or scope["method"] not in ("POST", "PUT"):
            return await self.app(scope, receive, send)
        if self._in_hand >= self._config.max_waiting:
            return await refusal(503, "too many requests at once; try again")(scope, receive, send)
        limit = self._limit(headers)
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            return await refusal(413, _too_large(limit))(scope, receive, send)
        self._in_hand += 1
        try:
            await self.app(scope, _bounded(receive, limit), send)
        finally:
            self._in_hand -= 1

    def _stranger(self, path: str, headers: Headers) -> tuple[int, str]:
        """Status and reason of a refusal; status 0 lets pass."""
        host = headers.get("host", "")
        try:
            name = urlsplit(f"//{host}").hostname
            origin = urlsplit(headers["origin"]).netloc if "origin" in headers else host
        except ValueError:
            return 400, "the Host or Origin header is no address"
        if origin != host:
            return 403, "requests from other sites' pages are refused"
        if self._config.token is None:
            return (0, "") if name in LOOPBACK else (403, f"host {name}: call this server by 127.0.0.1 or localhost")
        if path in _OPEN or has_token(headers, self._config.token):
            return 0, ""
        return 401, "give the server's token: Authorization: Bearer TOKEN"

    def _limit(self, headers: Headers) -> int:
        if headers.get("content-type", "").startswith("multipart/"):
            return (self._config.max_upload_mb << 20) + _FORM_SLACK
        return _JSON_BYTES


def has_token(headers: Headers, token: str) -> bool:
    """Whether a request carries the token, as a bearer or in the page's cookie."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    given = [bearer.strip()] if scheme.lower() == "bearer" else []
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    if cookie is not None:
        given.append(cookie.value)
    return any(hmac.compare_digest(one.encode(), token.encode()) for one in given)


def _bounded(receive: Receive, limit: int) -> Receive:
    """The body up to ``limit`` bytes, none of them too long in coming."""
    taken, whole = 0, False

    async def bounded() -> Message:
        nonlocal taken, whole
        if whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), _IDLE_SECONDS)
        except TimeoutError as error:
            raise HTTPException(408, "the body did not arrive in time") from error
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return bounded


def _too_large(limit: int) -> str:
    return f"the body is over the limit of {limit >> 20} MB"
