"""A server from its first to its last moment."""

import socket

import uvicorn

from vljepa.api import load
from vljepa.errors import UserError
from vljepa.serve.app import create_app
from vljepa.serve.services import Services
from vljepa.serve.settings import ServeConfig

_SHUTDOWN_SECONDS = 5
"""For requests at work when the server is told to end."""
_SOCKET_BYTES = 64 << 10
"""Longest message of a client on a WebSocket."""


def run(config: ServeConfig, model: str) -> None:
    """Serve until SIGTERM or Ctrl-C; then close what is open and return.

    Raises:
        UserError: there is no such model, or the address cannot be had.
    """
    services = Services.open(config, load(model), model)
    app = create_app(config, lambda: services)
    settings = uvicorn.Config(
        app,
        log_level="warning",
        ws_max_size=_SOCKET_BYTES,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        server_header=False,
    )
    listening = listen(config)
    host, port = listening.getsockname()[:2]
    print(f"vljepa: {model} at http://{f'[{host}]' if ':' in host else host}:{port}  (Ctrl-C ends it)", flush=True)
    uvicorn.Server(settings).run(sockets=[listening])


def listen(config: ServeConfig) -> socket.socket:
    """A socket at the wanted address.

    Raises:
        UserError: it cannot be had.
    """
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((config.host, config.port), family=family, backlog=512)
    except OSError as error:
        raise UserError(f"{config.host}:{config.port}: cannot be listened at ({error.strerror}); choose others") from (
            error
        )
