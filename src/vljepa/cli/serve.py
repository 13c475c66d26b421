"""The model as a service: ``serve``."""

import importlib.util
import os
from pathlib import Path
from typing import Annotated

import tyro

from vljepa.cli.common import ModelName
from vljepa.errors import UserError


def serve(
    model: ModelName = "nano",
    host: Annotated[str, tyro.conf.arg(help="Address to listen at; other than 127.0.0.1 needs --token.")] = "127.0.0.1",
    port: Annotated[int, tyro.conf.arg(help="0 takes a free one.")] = 8000,
    data: Annotated[Path, tyro.conf.arg(help="Folder of uploads, their library and the streams' events.")] = Path(
        "out/serve"
    ),
    media: Annotated[Path | None, tyro.conf.arg(help="Folder whose files requests may name.")] = None,
    allow_live: Annotated[bool, tyro.conf.arg(help="Let requests name cameras and RTSP or HTTP addresses.")] = False,
    token: Annotated[
        str | None, tyro.conf.arg(help="Ask it of every client; default: the variable VLJEPA_TOKEN, if set.")
    ] = None,
    max_upload_mb: Annotated[int, tyro.conf.arg(help="Largest upload, MB.")] = 512,
    max_waiting: Annotated[int, tyro.conf.arg(help="Requests in hand at once; more are answered 503.")] = 32,
    max_streams: Annotated[int, tyro.conf.arg(help="Streams watched at once.")] = 4,
) -> None:
    """Serve a web page, a REST interface (its description is at /docs) and live streams over WebSockets.

    Uploads and events are kept in --data: after a restart they are there again.

    Example: vljepa serve --port 8000 --media videos
    """
    for package in ("fastapi", "uvicorn", "websockets", "python_multipart"):
        if importlib.util.find_spec(package) is None:
            raise UserError(f"serve needs the package {package}; install it with: pip install 'open-vl-jepa[serve]'")
    from vljepa.serve.run import run
    from vljepa.serve.settings import ServeConfig

    config = ServeConfig(
        data=data,
        host=host,
        port=port,
        media=media,
        allow_live=allow_live,
        token=token or os.environ.get("VLJEPA_TOKEN") or None,
        max_upload_mb=max_upload_mb,
        max_waiting=max_waiting,
        max_streams=max_streams,
    )
    run(config, model)
