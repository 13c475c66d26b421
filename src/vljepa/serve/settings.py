"""What a server is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

from vljepa.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine can reach."""


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Where a server listens, what it may open and how much it takes on."""

    data: Path
    """Folder of uploads, their library and what was seen of streams; made if absent."""
    host: str = "127.0.0.1"
    port: int = 8000
    """0 takes a free one."""
    media: Path | None = None
    """Folder of this machine whose files may be named in requests; None: uploads alone."""
    allow_live: bool = False
    """Cameras and RTSP or HTTP addresses may be named as sources."""
    token: str | None = None
    """Asked of every client."""
    max_upload_mb: int = 512
    max_minutes: float = 240.0
    """Longest video, minutes."""
    max_waiting: int = 32
    """Requests in hand at once; more are asked to come back."""
    max_streams: int = 4
    """Streams watched at once."""
    time_limit: float = 60.0
    """For one request once its body is there, and for decoding one clip, seconds."""

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.token:
            raise UserError(f"host {self.host}: others can reach it, so set --token; or stay at 127.0.0.1")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and len(self.token) >= 8):
            raise UserError("token: give at least 8 printable ASCII characters")
        if self.media is not None and not self.media.is_dir():
            raise UserError(f"{self.media}: is not a folder; --media names one that holds videos or images")
        if not 0 <= self.port < 65536:
            raise UserError(f"port {self.port}: give 1 to 65535, or 0 for a free one")
        positive = {
            "max-upload-mb": self.max_upload_mb,
            "max-minutes": self.max_minutes,
            "max-waiting": self.max_waiting,
            "max-streams": self.max_streams,
            "time-limit": self.time_limit,
        }
        for name, value in positive.items():
            if value <= 0:
                raise UserError(f"--{name} {value:g}: give a number above 0")
