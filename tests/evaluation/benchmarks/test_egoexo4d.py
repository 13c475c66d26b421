"""Ego-Exo4D: both forms of the keysteps, and passes of descriptions with the oddities of the official files."""

from typing import Any

import pytest

from vljepa.errors import UserError

MAPPING = """label_id,step_unique_id,step_name,scenario_name
0,11,Open the test kit,Covid
1,12,"Stir, then rest",Cooking
2,13,Open the  test kit,Other
"""


def segment(take: str, start: float, end: float, step: int, **fields: object) -> dict[str, object]:
    return {"take_name": take, "start_time": start, "end_time": end, "step_unique_id": step, "step_name": "x", **fields}


@pytest.fixture
def videos(film: Any, put: Any) -> None:
    film("source/takes/uni_covid_07_6/frame_aligned_videos/aria02_214-1.mp4", 6)
    put("source/takes/uni_covid_07_6/frame_aligned_videos/cam01.mp4")
    put("source/takes/uni_covid_07_6/frame_aligned_videos/downscaled/448/aria02_214-1.mp4")
    film("source/takes/small/frame_aligned_videos/downscaled/448/aria01_214-1.mp4", 6)


def test_keysteps_of_the_benchmark(videos: None, run: Any, put: Any, benchmark: Any, items: Any) -> None:
    put("source/annotations/label_mapping.csv", MAPPING)
    clip = "val/small/start588.503_end648.11093_aria01_214-1.mp4"
    put(f"source/clips/{clip}")
    segments = [
        segment(
            "uni_covid_07_6",
            0.85598,
            3.20377,
            11,
            ego_segment_name="val/uni_covid_07_6/start0.8_end3.2_aria02_214-1.mp4",
        ),
        segment("uni_covid_07_6", 3, 99, 13),
        segment("small", 588.503, 648.11093, 12, ego_segment_name=clip),
        segment("small", 1, 2, 14),
    ]
    put(
        "source/annotations/keystep_benchmark/keystep_segment_val.json",
        {"date": "x", "splits": "val", "segments": segments},
    )
    (written,) = run("egoexo4d_keysteps")
    assert benchmark("egoexo4d_keysteps").classes == ["Open the test kit", "Stir, then rest"]
    media = "../../media/egoexo4d_keysteps/"
    take = f"{media}takes/uni_covid_07_6/frame_aligned_videos/aria02_214-1.mp4"
    assert items("egoexo4d_keysteps") == [
        {
            "id": "uni_covid_07_6/0.85598-3.20377/11",
            "label": "Open the test kit",
            "media": take,
            "start": 0.856,
            "end": 3.204,
        },
        {"id": "uni_covid_07_6/3-99/13", "label": "Open the test kit", "media": take, "start": 3.0, "end": 6.0},
        # The cut clip is the item as it is.
        {"id": "small/588.503-648.111/12", "label": "Stir, then rest", "media": f"{media}clips/{clip}"},
    ]
    assert written.left_out.counts == {"step_unique_id: is not among the classes": 1}


def test_keysteps_of_the_fuller_file(videos: None, run: Any, put: Any, items: Any) -> None:
    put("source/label_mapping.csv", MAPPING)
    steps = [segment("", 1, 2, 11), segment("", 2, 3, 99)]
    for step in steps:
        del step["take_name"]
    annotations = {
        "uid": {"take_name": "small", "segments": steps},
        "u2": {"take_name": "gone", "segments": steps[:1]},
        "u3": {},
    }
    put("source/keystep_val.json", {"annotations": annotations, "taxonomy": {}, "vocabulary": {}})
    (written,) = run("egoexo4d_keysteps")
    assert [item["id"] for item in items("egoexo4d_keysteps")] == ["small/1-2/11"]
    # A step outside the 278 is not counted, it is no part of the benchmark.
    assert written.left_out.counts == {"media: is missing": 1, "segments: is missing": 1}
    assert written.missing.read_text() == "gone\n" and written.official == 3
    with pytest.raises(UserError, match=r"^egoexo4d: keysteps: 3 found, the official release has 278; give --partial"):
        run("egoexo4d_keysteps", partial=False)


def told(*moments: tuple[object, object], **fields: object) -> dict[str, object]:
    return {
        "rejected": False,
        "descriptions": [{"timestamp": time, "text": text, "subject": "C", "unsure": "0"} for time, text in moments],
        **fields,
    }


@pytest.fixture
def descriptions(videos: None, put: Any) -> None:
    takes = [
        {"take_uid": "1", "take_name": "uni_covid_07_6", "parent_task_name": "Health"},
        {"take_uid": "2", "take_name": "small", "parent_task_name": "Cooking"},
        {"take_uid": "3", "take_name": "uni_covid_07_6", "parent_task_name": "Soccer"},
        {"take_uid": "4", "take_name": "small", "parent_task_name": "Bike Repair"},
        {"take_uid": "5", "take_name": "gone", "parent_task_name": "Bike Repair"},
    ]
    put("source/takes.json", takes)
    annotations = {
        "1": [
            told((1, "C waits.")),
            told((3, "C turns."), (0.0383100003, " C moves his right hand. "), (80, "C leaves."), (None, "x"), (4, "")),
            told((1, "a"), (2, "b"), (3, "c"), (4, "d"), rejected="1"),
        ],
        "2": [told((1, "C stirs.")), told((2, "C pours."))],
        "3": [told((1, "C kicks."))],
        "4": [told((1, "x"), rejected=True)],
        "5": [told((1, "x"))],
        "6": [told((1, "x"))],
    }
    put("source/annotations/atomic_descriptions_val.json", {"annotations": annotations, "ds": "x"})


def test_descriptions(descriptions: None, run: Any, benchmark: Any, items: Any) -> None:
    (written,) = run("egoexo4d_descriptions")
    assert benchmark("egoexo4d_descriptions").task == "stream"
    found = {item["id"]: item["annotations"] for item in items("egoexo4d_descriptions")}
    assert found == {
        "uni_covid_07_6": [{"time": 0.038, "text": "C moves his right hand."}, {"time": 3.0, "text": "C turns."}],
        "small": [{"time": 1.0, "text": "C stirs."}],
    }
    assert written.left_out.counts == {
        "descriptions: no pass holds any": 1,
        "media: is missing": 1,
        "take_uid: is not in takes.json": 1,
    }
    assert written.repaired.counts == {
        "descriptions: one is dropped, timestamp: is missing": 1,
        "descriptions: one is dropped, text: is empty": 1,
        "annotations: one lies past the end of the video, dropped": 1,
    }
    assert written.official == 218


def test_all_passes(descriptions: None, run: Any, items: Any) -> None:
    run("egoexo4d_descriptions", options={"passes": "all"})
    texts = {item["id"]: [note["text"] for note in item["annotations"]] for item in items("egoexo4d_descriptions")}
    assert texts == {
        "uni_covid_07_6": ["C moves his right hand.", "C waits.", "C turns."],
        "small": ["C stirs.", "C pours."],
    }
