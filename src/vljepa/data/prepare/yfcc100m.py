"""YFCC-100M: tar shards, or the metadata dump beside a folder of the files.

Format of the dump: one record a line, tab-separated, texts URL-encoded. 23 columns in the official order (photoid, uid,
unickname, datetaken, dateuploaded, capturedevice, title, description, usertags, machinetags, longitude, latitude,
accuracy, pageurl, downloadurl, licensename, licenseurl, serverid, farmid, secret, secretoriginal, ext, marker), or 25
with the line number first and the hash third (``data_md/yfcc100m.md`` of github.com/openai/CLIP). The marker is 0 for a
photo, 1 for a video. Files are ``abc/def/<hash>.jpg`` or ``.mp4`` as in the bucket multimedia-commons, or ``<photoid>``
with a suffix.

Captions: title and description are alternatives, as in SLIP's training (``make_dataset.py`` of
github.com/facebookresearch/SLIP), without mark-up and links; a title that is a camera's file name tells nothing and is
dropped. A record without either has its user tags, separated by commas.
"""

import bz2
import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_plus

from vljepa.data.prepare import webdataset
from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below
from vljepa.data.prepare.readers import Tell, each, opened
from vljepa.errors import UserError

_MARKUP = re.compile(r"<[^<>]*>|https?://\S+|www\.\S+")
_CAMERA_NAME = re.compile(r"[a-z]{0,5}[ _-]*[\d _-]*\d[\d _-]*(\.[a-z]{3,4})?", re.IGNORECASE)


def read(job: Job) -> Found:
    """A sample without query for each photo or video; ids are those of the photos, or shard and key.

    Raises:
        UserError: the source is not there, or shards come with a folder of media.
    """
    if job.source.is_dir() or job.source.suffix == ".tar":
        if job.media:
            raise UserError(f"{job.source}: shards hold their own media; leave out --media")
        yield from webdataset.read(job, "yfcc100m")
        return
    root = below(job.out, job.media or job.source.parent, "yfcc100m")
    for file, tell in each([job.source], job):
        try:
            for i, line in enumerate(_lines(file, tell), start=1):
                yield _sample(f"{file}:{i}", line, root)
        except (OSError, EOFError) as error:
            raise UserError(f"{file}: cannot be read to its end ({error}); check the file") from error


def _lines(file: Path, tell: Tell) -> Iterator[bytes]:
    with opened(file) as packed:
        unpacked: Iterable[bytes] = packed
        if file.suffix == ".bz2":
            unpacked = bz2.BZ2File(packed)
        elif file.suffix == ".gz":
            unpacked = gzip.GzipFile(fileobj=packed)
        for line in unpacked:
            yield line
            tell(packed.tell())


def _sample(where: str, line: bytes, root: Path) -> Entry | Unusable:
    columns = line.decode(errors="replace").rstrip("\r\n").split("\t")
    if len(columns) == 25:
        columns, digest = [columns[1], *columns[3:]], columns[2]
    elif len(columns) == 23:
        digest = ""
    else:
        return Unusable(where=where, reason="line: has neither 23 nor 25 columns", detail=f"{len(columns)}")
    photo, ext, marker = columns[0], columns[21], columns[22]
    title, description, tags = (_text(column) for column in columns[6:9])
    if _CAMERA_NAME.fullmatch(title):
        title = ""
    texts = list(dict.fromkeys(text for text in (title, description) if text)) or [tags.replace(",", ", ")]
    if not texts[0]:
        return Unusable(where=where, reason="title, description, usertags: none tells anything")
    suffixes = [".mp4"] if marker == "1" else list(dict.fromkeys([".jpg", f".{ext}"]))
    names = [f"{digest[:3]}/{digest[3:6]}/{digest}"] * bool(digest) + [photo]
    paths = [root / f"{name}{suffix}" for name in names for suffix in suffixes]
    media = next((path for path in paths if path.is_file()), None)
    if media is None:
        return Unusable(where=where, reason="media: is missing", detail=str(paths[0]))
    return Entry(where=where, fields={"id": photo, "media": str(media), "targets": texts})


def _text(column: str) -> str:
    return " ".join(_MARKUP.sub(" ", unquote_plus(column)).split())
