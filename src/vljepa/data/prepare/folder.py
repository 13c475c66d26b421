"""Videos and images of one's own, each with a text file of the same name beside it: clip.mp4 and clip.txt."""

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below, walk
from vljepa.errors import UserError


def read(job: Job) -> Found:
    """A sample without query for each file; the lines of its text are equivalent targets, its id is its path.

    Raises:
        UserError: the source is not a folder.
    """
    if not job.source.is_dir():
        raise UserError(f"{job.source}: is not a folder; name one that holds videos and their captions")
    root = below(job.out, job.source, "folder")
    paths = [path for path in walk(root) if path.suffix == ".txt" or path.suffix.lower() in IMAGES | VIDEOS]
    media = {path.with_suffix("") for path in paths if path.suffix != ".txt"}
    for i, path in enumerate(paths, start=1):
        job.progress(i, len(paths))
        caption = path.with_suffix(".txt")
        if path.suffix == ".txt":
            if path.with_suffix("") not in media:
                yield Unusable(where=str(path), reason="media: there is no video or image of that name")
            continue
        try:
            lines = caption.read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError:
            yield Unusable(where=str(path), reason="caption: there is no text file of that name")
            continue
        except (OSError, UnicodeDecodeError) as error:
            yield Unusable(where=str(caption), reason="caption: is no text in UTF-8", detail=str(error))
            continue
        texts = [line.strip() for line in lines if line.strip()]
        fields = {"id": path.relative_to(root).as_posix(), "media": str(path), "targets": texts}
        yield Entry(where=str(caption), fields=fields)
