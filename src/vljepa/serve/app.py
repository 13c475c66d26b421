"""The whole application: guard, routes and the static pages."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from vljepa.serve import route_live, route_media, route_model, route_streams, schemas
from vljepa.serve.errors import add_handlers
from vljepa.serve.guard import COOKIE, Guard, has_token
from vljepa.serve.services import Parts, Services
from vljepa.serve.settings import ServeConfig

_STATIC = Path(__file__).parent / "static"
_SPARE_THREADS = 16
"""For requests that do not wait for the model."""
_ERRORS: dict[int | str, dict[str, object]] = {
    code: {"model": schemas.Error, "description": what}
    for code, what in {
        400: "Malformed",
        401: "Without the token",
        403: "Not allowed",
        404: "Not here",
        413: "Too large",
        415: "No video or image",
        422: "Not what is asked for, or not readable",
        503: "Too much at once; come back after Retry-After",
    }.items()
}
_DESCRIPTION = (
    "VL-JEPA predicts the meaning of an answer as an embedding, and writes text only when text is wanted. "
    "Every refusal is JSON: `error.message` says in one line what is wrong."
)


def create_app(config: ServeConfig, open_services: Callable[[], Services]) -> FastAPI:
    """The application.

    Args:
        open_services: called when the server starts; what it returns is closed when the server ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = config.max_waiting + _SPARE_THREADS
        app.state.services = await anyio.to_thread.run_sync(open_services)
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(app.state.services.close)

    app = FastAPI(
        title="VL-JEPA",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses=_ERRORS,
    )
    app.add_middleware(Guard, config=config)
    add_handlers(app)
    for router in (route_model.router, route_media.router, route_streams.router, route_live.router):
        app.include_router(router)
    _add_pages(app, config)
    return app


def _add_pages(app: FastAPI, config: ServeConfig) -> None:
    @app.get("/health", tags=["server"], summary="Whether it works, and how busy it is")
    async def health(parts: Parts) -> schemas.Health:
        return schemas.Health(
            waiting=parts.worker.waiting,
            limit=config.max_waiting,
            streams=len(parts.streams.running()),
            done=parts.worker.num_done,
        )

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        if config.token is None or has_token(request.headers, config.token):
            return _page("index.html")
        return _page("login.html", 401)

    @app.post("/", include_in_schema=False)
    async def log_in(request: Request) -> Response:
        token = parse_qs((await request.body()).decode("latin-1")).get("token", [""])[0]
        # The page's videos and sockets send the cookie along; other sites' pages cannot.
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, token, max_age=30 * 86400, httponly=True, samesite="strict")
        return response

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return _page("docs.html")


def _page(name: str, status: int = 200) -> Response:
    """A static page, its style and scripts put into it, that may load and run nothing but its own."""
    html = (_STATIC / name).read_text(encoding="utf-8")
    html = re.sub(r"{{([\w.]+)}}", lambda part: (_STATIC / part[1]).read_text(encoding="utf-8"), html)
    scripts = [hashlib.sha256(s.encode()).digest() for s in re.findall(r"<script>(.*?)</script>", html, re.DOTALL)]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(html, status, {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})
