"""VISLA: two files with columns of their own; rows without a negative, quotes and blanks as in the official ones."""

from typing import Any

import pytest

from vljepa.errors import UserError

GENERIC = (
    "filename\tcaption\tsecond positive\tnegative_caption\r\n"
    "1.jpg\tA cat sits.\tThere sits a cat.\tA dog sits.\r\n"
    '2.jpg\tA sign says "stop".\tA "stop" sign. \tA sign says "go".'
)
SPATIAL = (
    "image\tsent1\tsent2\tBest reference (Semantically close)\tReference-2 (Completely irrelevant)\r\n"
    "3.jpg\tThe cup is on the tray.\tThe tray is under the cup.\tThe cup is under the tray.\tA train.\r\n"
    "4.jpg\tThe cup is red.\tRed is the cup.\t\t\r\n"
    "5.jpg\tThe cup is far.\tFar is the cup.\tThe cup is near.\tA train."
)


def test_both_files(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    put("source/data/Generic_VISLA.tsv", GENERIC)
    path = put("source/data/Spatial_VISLA.tsv", SPATIAL)
    (written,) = run("visla")
    found = items("visla")
    assert [item["id"] for item in found] == ["generic-0", "generic-1", "spatial-0", "spatial-2"]
    assert found[1]["p1"] == 'A sign says "stop".' and found[1]["p2"] == 'A "stop" sign. '
    assert found[2] == {
        "id": "spatial-0", "p1": "The cup is on the tray.", "p2": "The tray is under the cup.",
        "n": "The cup is under the tray.", "group": "spatial",
    }  # fmt: skip
    assert len(benchmark("visla").items) == 4
    assert written.left_out.examples == {"Best reference (Semantically close): is empty": [f"{path}:3"]}


def test_a_part_and_a_missing_file_are_refused(run: Any, put: Any) -> None:
    put("source/Generic_VISLA.tsv", GENERIC)
    with pytest.raises(UserError, match=r"holds no Spatial_VISLA\.tsv"):
        run("visla")
    put("source/Spatial_VISLA.tsv", SPATIAL)
    with pytest.raises(UserError, match="generic: 2 found, the official release has 973"):
        run("visla", partial=False)
