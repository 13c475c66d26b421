"""What of the media one set of visual tokens is computed from. Apart from ``types``: a process that decodes needs no
torch, which takes seconds to import."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file inside an uncompressed tar shard: its bytes are a stretch of the shard's."""

    name: str
    """Within the shard."""
    offset: int
    """Bytes from the shard's beginning."""
    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A stretch of visual input: what one set of visual tokens is computed from."""

    media: tuple[str, ...]
    """Absolute path of one video or image; several paths are a sequence of frame images."""
    member: Member | None = None
    """If given, ``media`` is one tar shard, and the video or image is this member of it."""
    start: float | None = None
    """Start inside the media, seconds; None is its beginning."""
    end: float | None = None
    """End inside the media, seconds; None is its end."""

    def __str__(self) -> str:
        name = self.media[0] if len(self.media) == 1 else f"{self.media[0]} and {len(self.media) - 1} more"
        name = name if self.member is None else f"{name}/{self.member.name}"
        return name if self.start is None and self.end is None else f"{name} [{self.start}, {self.end}] s"
