"""VDC-1k: five captions a video, flat or together, ids of four kinds."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError

SUBJECTS = ("camera", "short", "background", "main_object", "detailed")
IDS = ("07309684-1f6e-4c2b-9d6e-6b0c6f7b2f11", "-JhlR5WkrYx", "mixkit-waves-on-a-beach-1", "f" * 64)


def line(video: str, name: str, nested: bool) -> dict[str, Any]:
    captions = {f"{subject}_caption": f"The {subject}\n\nof {video}." for subject in SUBJECTS}
    fields = {"video_id": video, "video_name": name, "video_source": "pexels"}
    return {**fields, "captions": captions} if nested else {**fields, **captions}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_captions(run: Any, put: Any, benchmark: Any, items: Any, subject: str, nested: bool) -> None:
    # Names come with and without a suffix, and not always with that of the file.
    names = (f"{IDS[0]}.mp4", IDS[1], f"{IDS[2]}.mp4", "another name")
    records = [line(video, name, nested) for video, name in zip(IDS, names, strict=True)]
    put(f"source/{'VDC_1k_captions' if nested else 'VDC_1k'}.jsonl", "\n".join(json.dumps(r) for r in records))
    for file in (f"{IDS[0]}.mp4", f"{IDS[1]}.mkv", f"{IDS[2]}.MP4", f"{IDS[3]}.mp4"):
        put(f"source/videos/{file}")
    run("vdc1k", options={} if subject == "detailed" else {"captions": subject})
    found = benchmark("vdc1k")
    assert [(item.id, item.texts) for item in found.items] == [
        (video, (f"The {subject} of {video}.",)) for video in IDS
    ]
    assert (found.info["captions"], found.official_items) == (subject, 1_027)
    assert items("vdc1k")[1]["media"] == f"../../media/vdc1k/videos/{IDS[1]}.mkv"


def test_bad_lines(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    good, mute, unnamed = (line(video, video, nested=False) for video in IDS[:3])
    del mute["detailed_caption"], unnamed["video_id"]
    put("source/VDC_1k.jsonl", "\n".join(json.dumps(value) for value in (good, mute, unnamed, good, [good])))
    for video in IDS:
        put(f"source/{video}.mp4")
    (written,) = run("vdc1k")
    path = tmp_path / "source" / "VDC_1k.jsonl"
    assert len(items("vdc1k")) == 1
    assert written.left_out.examples == {
        "line: holds no object": [f"{path}:5"],
        "detailed_caption: is missing": [f"{path}:2"],
        "video_id: is missing": [f"{path}:3"],
        "id: is taken by an earlier item": [f"{path}:4: {IDS[0]}"],
    }


def test_no_such_caption(run: Any, put: Any) -> None:
    put("source/VDC_1k.jsonl", json.dumps(line(IDS[0], IDS[0], nested=False)))
    with pytest.raises(UserError, match=r"^--options captions=dense: choose one of detailed, short, main_object"):
        run("vdc1k", options={"captions": "dense"})
