"""The encoded bytes of a video or image: a file of its own, or a member of a tar shard."""

from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from vljepa.clip import Clip
from vljepa.errors import UserError

VIDEOS = {".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
VIDEOS |= {".ogv", ".ts", ".vob", ".webm", ".wmv"}
IMAGES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
"""Suffixes by which media are told from other files before one is opened."""


@dataclass(frozen=True, slots=True)
class Medium:
    """What a decoder opens. As text it is the name that messages begin with."""

    name: str
    source: Path | bytes
    """The file, or the encoded bytes themselves."""

    @classmethod
    def of_file(cls, path: str | Path) -> "Medium":
        """
        Raises:
            UserError: no such file, not a file, or empty.
        """
        path = Path(path)
        try:
            num_bytes = path.stat().st_size
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"{path}: cannot be opened ({reason}); check the path") from error
        # A pipe is none either: opening one would wait for its writer.
        if not path.is_file():
            raise UserError(f"{path}: is not a file; name a video or image file")
        if num_bytes == 0:
            raise UserError(f"{path}: is empty (0 bytes); fetch it again")
        return cls(str(path), path)

    @classmethod
    def of_clip(cls, clip: Clip) -> "Medium":
        """The medium of a clip that has only one, read into memory if it is a member of a shard.

        Raises:
            UserError: it cannot be read.
        """
        shard = cls.of_file(clip.media[0])
        if clip.member is None:
            return shard
        name = f"{shard}/{clip.member.name}"
        if clip.member.size == 0:
            raise UserError(f"{name}: is empty (0 bytes); fetch it again")
        with shard.open() as file:
            file.seek(clip.member.offset)
            content = file.read(clip.member.size)
        if len(content) < clip.member.size:
            raise UserError(f"{name}: lies past the end of its shard, which was cut short; fetch the shard again")
        return cls(name, content)

    def __str__(self) -> str:
        return self.name

    def open(self) -> BufferedReader | BytesIO:
        """The bytes as a file to read, which the caller closes.

        Raises:
            UserError: it must not be read.
        """
        if isinstance(self.source, bytes):
            return BytesIO(self.source)
        try:
            return self.source.open("rb")
        except OSError as error:
            raise UserError(f"{self}: cannot be read ({error.strerror}); check its permissions") from error
