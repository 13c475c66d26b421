"""EPIC-KITCHENS-100: times, words and the context of anticipation, each calculated by hand."""

from typing import Any

import pytest

from vljepa.errors import UserError

HEAD = (
    "narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,stop_frame,"
    "narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes\n"
)


def row(number: int, start: str, stop: str, verb: object = 0, noun: object = 0, video: str = "P01_11") -> str:
    # The official frame numbers would be 60 a second; nothing may come of them.
    nouns = "\"['paper', 'bin']\",\"[1, 2]\""
    return f"{video}_{number},P01,{video},00:00:00.56,{start},{stop},1,2,take plate,take,{verb},plate,{noun},{nouns}\n"


def files(put: Any, validation: str, train: str | None = None) -> None:
    put("source/EPIC_100_validation.csv", HEAD + validation)
    put("source/EPIC_100_verb_classes.csv", "id,key,instances,category\n0,take,\"['take', 'get']\",x\n6,turn-on,[],y\n")
    nouns = "id,key,instances,category\n0,tap,[],x\n14,board:chopping,[],y\n2,machine:sous:vide,[],z\n"
    put("source/EPIC_100_noun_classes.csv", nouns)
    if train is not None:
        put("source/EPIC_100_train.csv", HEAD + train)


def test_actions(run: Any, put: Any, film: Any, benchmark: Any, items: Any) -> None:
    rows = row(0, "00:00:00.50", "00:00:01.89", noun=14) + row(1, "00:00:03.00", "01:00:00.00", verb=6, noun=2)
    files(
        put, rows + row(2, "00:00:05", "00:00:06") + row(3, "soon", "00:00:06") + row(4, "00:00:01", "00:00:02", verb=7)
    )
    film("source/P01/videos/P01_11.MP4", 4)
    action = run("epic_kitchens", options={"candidates": "validation"})[0]
    media = "../../media/epic_kitchens/P01/videos/P01_11.MP4"
    assert items("epic_kitchens_action") == [
        {"id": "P01_11_0", "media": media, "label": "take chopping board", "start": 0.5, "end": 1.89},
        # The video is four seconds long.
        {"id": "P01_11_1", "media": media, "label": "turn on sous vide machine", "start": 3.0, "end": 4.0},
    ]
    assert benchmark("epic_kitchens_action").classes == ["take chopping board", "turn on sous vide machine", "take tap"]
    assert action.left_out.counts == {
        "start: lies past the end of the video": 1,
        "start_timestamp: is no time as 00:01:02.34": 1,
        "verb_class, noun_class: are no classes": 1,
    }
    assert action.repaired.counts["end: lies past the end of the video, cut to it"] == 1


def test_anticipation_sees_what_comes_before(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    files(
        put,
        row(0, "00:00:20.00", "00:00:30.00") + row(1, "00:00:03.50", "00:00:30.00"),
        train=row(0, "0", "1", noun=14),
    )
    put("source/P01_11.mp4")
    written = run("epic_kitchens")
    spans = {
        seconds: [
            (item["start"], item["end"], item["horizon"]) for item in items(f"epic_kitchens_anticipation_{seconds}s")
        ]
        for seconds in (1, 2, 4, 10)
    }
    # An action at 20 s: the rules show 14 to 19 s at a distance of 1 s.
    assert spans == {
        1: [(14, 19, 1), (0, 2.5, 1)],
        2: [(13, 18, 2), (0, 1.5, 2)],
        4: [(11, 16, 4), (0, 0.1, 4)],
        10: [(5, 10, 10), (0, 0.1, 10)],
    }
    found = benchmark("epic_kitchens_anticipation_1s")
    assert found.task == "anticipation" and found.classes == ["take tap", "take chopping board"]
    assert benchmark("epic_kitchens_action").classes == ["take tap", "take chopping board"][:1]
    note = "start_timestamp: is too near the beginning, the first instant is shown"
    assert [one.repaired.counts[note] for one in written] == [0, 0, 0, 1, 1]


def test_options(run: Any, put: Any, items: Any) -> None:
    files(put, row(0, "00:00:20.00", "00:00:30.00"))
    put("source/P01_11.mp4")
    run("epic_kitchens", options={"context": "2.5", "candidates": "validation"})
    assert items("epic_kitchens_anticipation_1s")[0]["start"] == 16.5
    with pytest.raises(UserError, match=r"holds no EPIC_100_train.csv"):
        run("epic_kitchens")
    with pytest.raises(UserError, match=r"^--options context=long: is no number of seconds above 0"):
        run("epic_kitchens", options={"context": "long", "candidates": "validation"})
    with pytest.raises(UserError, match=r"^--options candidates=some: is not validation or all"):
        run("epic_kitchens", options={"candidates": "some"})
    with pytest.raises(UserError, match=r"^--options split: epic_kitchens has no such option: candidates, .*; context"):
        run("epic_kitchens", options={"split": "all"})
    with pytest.raises(
        UserError, match=r"^epic_kitchens: pairs of verb and noun: 1 found, .* has 1,352; give --partial"
    ):
        run("epic_kitchens", partial=False)
