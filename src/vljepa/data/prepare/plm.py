"""The PLM mixture: conversations in JSON Lines, one set or a registry of many.

Format: ``apps/plm/docs/training.md`` and ``core/data/preprocessor.py`` of
github.com/facebookresearch/perception_models. The registry, ``apps/plm/configs/datasets.yaml``, gives each set's
``annotation`` file and ``root_dir`` of media, both relative to the working directory, as there. A record without
``conversations`` may hold ``text``, a caption.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vljepa.data.medium import IMAGES
from vljepa.data.prepare.conversation import exchanges
from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below
from vljepa.data.prepare.readers import each, json_lines, opened
from vljepa.errors import UserError


def read(job: Job) -> Found:
    """A sample for each exchange, in the manifest of its kind; ids are set, line and exchange."""
    sets = list(_registered(job) if job.source.suffix in (".yaml", ".yml") else [_single(job)])
    for (name, _, root), (file, tell) in zip(sets, each([file for _, file, _ in sets], job), strict=True):
        folder = below(job.out, root, f"plm-{name}") if root else Path()
        for item in json_lines(file, tell):
            if isinstance(item, Unusable):
                yield item
                continue
            line, record = item
            where = f"{file}:{line}"
            if "conversations" not in record and isinstance(record.get("text"), str):
                turns = [{"from": "human", "value": ""}, {"from": "assistant", "value": record["text"]}]
                record = record | {"conversations": turns}
            if root is None and (record.get("image") or record.get("video")):
                yield Unusable(where=where, reason="root_dir: is missing in the registry, yet a record has media")
                continue
            for found in exchanges(where, f"{name}/{line}", record, folder):
                yield found if isinstance(found, Unusable) else replace(found, manifest=_kind(found))


def _kind(found: Entry) -> str:
    """Images and videos lie in manifests of their own: a recipe takes one number of frames from all of a manifest."""
    return "_images" if Path(found.fields["media"]).suffix.lower() in IMAGES else "_videos"


def _single(job: Job) -> tuple[str, Path, Path | None]:
    return job.source.stem, _file(job.source), job.media or job.source.parent


def _registered(job: Job) -> Iterator[tuple[str, Path, Path | None]]:
    """Name, annotation file and media root of each set; only a set of texts alone has no root.

    Raises:
        UserError: PyYAML is not installed, or the registry is not of its form, or names what is not there.
    """
    try:
        import yaml
    except ImportError as error:
        raise UserError(f"{job.source}: a registry needs PyYAML; pip install 'open-vl-jepa[prepare]'") from error
    if job.media:
        raise UserError(f"{job.source}: a registry names its own media folders; leave out --media")
    with opened(job.source) as file:
        try:
            registry = yaml.safe_load(file)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UserError(f"{job.source}: is not YAML ({error}); check the file") from error
    if not isinstance(registry, dict) or not registry:
        raise UserError(f"{job.source}: is no registry; write NAME: with annotation: and root_dir: below it")
    for name, entry in registry.items():
        paths = [entry.get(key) if isinstance(entry, dict) else None for key in ("annotation", "root_dir")]
        if not isinstance(paths[0], str) or not isinstance(paths[1], str | None):
            raise UserError(f"{job.source}: {name}: annotation: expected a path, and one or none as root_dir; mend it")
        yield str(name), _file(Path(paths[0])), Path(paths[1]) if paths[1] else None


def _file(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: is no file; check the path, which is relative to the working directory")
    return path
