"""Ego-Exo4D, seen by the wearer of the camera: which keystep is done, and what happens, told moment by moment.

Licence: Ego-Exo4D licence agreement, to be signed. Link: https://ego-exo4d-data.org.
Split: validation. Descriptions: 218 procedural videos of about 6 min with 143 annotations each (paper); keysteps: the
size is not public.
Protocol, keysteps: top-1 over the 278 steps of ``label_mapping.csv`` (those with 20 instances or more), written by
their names; equal names are one class. Protocol, descriptions: figure 4, CIDEr of what is decoded against the texts.
Procedural takes are those of Cooking, Bike Repair and Health. A take may have been told several times over: of its
passes the one with the most descriptions is taken, ``--options passes=all`` joins them; which the paper takes is not
known. Rejected passes are left out. Texts stay as they are ("C picks up a knife.").
Paper: keysteps BASE 33.2, SFT 68.1 (table 1); descriptions: a curve.

Files below the download's folder, as its documentation has them: ``keystep_segment_val.json`` (or the fuller
``keystep_val.json``, whose steps outside the 278 are no part of the benchmark) and ``label_mapping.csv``;
``atomic_descriptions_val.json`` and ``takes.json``. Videos are ``<take>/frame_aligned_videos/aria<nn>_214-1.mp4``, or
the smaller ones in its ``downscaled/448``; of keysteps also the cut clips that the annotation names.
"""

from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, STEP, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language, class_of, distinct

_PROCEDURAL = ("Cooking", "Bike Repair", "Health")
_CAMERAS = [f"aria{number:02d}_214-1" for number in range(1, 10)]


def _keysteps(files: Files) -> Content:
    mapping = files.table(files.path("label_mapping.csv"), ("step_unique_id", "step_name"))
    files.expect("egoexo4d: keysteps", len(mapping), 278)
    names = {row.word("step_unique_id"): as_language(row.text("step_name")) for row in mapping}
    segments = files.optional("keystep_segment_val.json")
    records = _segments(files) if segments is None else _listed(files, segments)

    def item(record: Record) -> dict[str, Any] | None:
        step, take = record.word("step_unique_id"), record.word("take_name")
        if segments is None and step not in names:
            return None
        start, end = record.seconds("start_time"), record.seconds("end_time")
        found = {"id": f"{take}/{start:g}-{end:g}/{step}", "label": class_of(names, "step_unique_id", step)}
        clip = str(record.get("ego_segment_name") or "").rpartition("/")[2]
        if clip and (media := files.optional_video(f"{take}/{clip}")):
            return found | {"media": media}
        return found | {"media": _video(files, take), "start": start, "end": end}

    return Content(records=records, item=item, info={"classes": distinct(names)})


def _listed(files: Files, path: Any) -> list[Record]:
    value = files.json(path)
    if not isinstance(value, dict) or not isinstance(value.get("segments"), list):
        raise UserError(f"{path}: segments: is no list; is it the right file?")
    return Record(where=str(path), fields=value).children("segments")


def _segments(files: Files) -> list[Record]:
    records = []
    for take in files.keyed(files.path("keystep_val.json"), "annotations"):
        try:
            steps = take.children("segments")
        except Refused as refused:
            files.left_out.add(refused.reason, take.where)
            continue
        name = {"take_name": take.get("take_name")}
        records += [Record(where=step.where, fields={**name, **step.fields}) for step in steps]
    return records


def _descriptions(files: Files) -> Content:
    passes = files.option("passes", "one")
    if passes not in ("one", "all"):
        raise UserError(f"--options passes={passes}: is not one or all")
    takes = {str(take.get("take_uid")): take for take in files.records(files.path("takes.json"))}
    path = files.path("atomic_descriptions_val.json")
    value = files.json(path)
    told = value.get("annotations") if isinstance(value, dict) else None
    if not isinstance(told, dict):
        raise UserError(f"{path}: annotations: is no object; is it the right file?")
    records = [Record(where=f"{path}: {uid}", key=uid, fields={"passes": told[uid]}) for uid in told]

    def item(record: Record) -> dict[str, Any] | None:
        if record.key not in takes:
            raise Refused("take_uid: is not in takes.json", record.key)
        take = takes[record.key]
        if take.get("parent_task_name") not in _PROCEDURAL:
            return None
        name = take.word("take_name")
        kept = [_moments(files, told) for told in record.children("passes") if not _rejected(told)]
        if passes == "one":
            kept = [max(kept, key=len, default=[])]
        moments = [moment for told in kept for moment in told]
        if not moments:
            raise Refused("descriptions: no pass holds any")
        moments.sort(key=lambda moment: moment["time"])
        return {"id": name, "media": _video(files, name), "annotations": moments}

    return Content(records=records, item=item)


def _rejected(told: Record) -> bool:
    return told.get("rejected") is not None and told.flag("rejected")


def _moments(files: Files, told: Record) -> list[dict[str, Any]]:
    """The descriptions of one pass; one that is none is counted."""
    moments = []
    for description in told.children("descriptions"):
        try:
            moments.append({"time": description.seconds("timestamp"), "text": description.text("text").strip()})
        except Refused as refused:
            files.repaired.add(f"descriptions: one is dropped, {refused.reason}", description.where)
    return moments


def _video(files: Files, take: str) -> str:
    folders = (f"{take}/frame_aligned_videos", f"{take}/frame_aligned_videos/downscaled/448")
    return files.video(*(f"{folder}/{camera}" for folder in folders for camera in _CAMERAS), named=take)


SET_KEYSTEPS = BenchmarkSet(
    benchmarks=(
        Spec(
            name="egoexo4d_keysteps",
            task="classification",
            metric="top1",
            query=STEP,
            paper=0.681,
            items=None,
            read=_keysteps,
        ),
    )
)
SET_DESCRIPTIONS = BenchmarkSet(
    benchmarks=(
        Spec(
            name="egoexo4d_descriptions",
            task="stream",
            metric="cider",
            query=CAPTION,
            items=218,
            read=_descriptions,
        ),
    ),
    options={"passes": "one or all: the fullest pass of each take, or all joined; default one"},
)
