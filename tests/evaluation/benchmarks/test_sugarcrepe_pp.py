"""SugarCrepe++: five files become one benchmark with their names as groups, texts exactly as they stand."""

from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.measure import MEASURES
from vljepa.evaluation.system import System

GROUPS = ("swap_obj", "swap_att", "replace_obj", "replace_att", "replace_rel")


def record(number: int, caption: str, again: str, negative: str) -> dict[str, Any]:
    return {
        "id": number, "filename": "000000000001.jpg", "caption": caption, "caption2": again,
        "negative_caption": negative,
    }  # fmt: skip


def files(put: Any) -> None:
    for group in GROUPS:
        put(f"source/data/{group}.json", [record(0, " A cat sits. ", "There sits a cat.", "A dog sits.")])
        # Of the same name, deeper and not checked by anybody.
        put(f"source/VLMs/generated_data/{group}.json", [record(0, "x", "y", "z")] * 2)


def test_groups_and_blanks_stay(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    files(put)
    put("source/data/swap_obj.json", [record(0, "A cat and a dog.", "A dog, a cat.", "A cat and a dog."),
                                      record(1, "a", "", "c"), record(0, "a", "b", "c")])  # fmt: skip
    (written,) = run("sugarcrepe_pp")
    found = items("sugarcrepe_pp")
    assert [item["id"] for item in found] == [f"{group}-0" for group in GROUPS]
    assert [item["group"] for item in found] == list(GROUPS)
    assert found[1] == {
        "id": "swap_att-0", "p1": " A cat sits. ", "p2": "There sits a cat.", "n": "A dog sits.", "group": "swap_att",
    }  # fmt: skip
    assert benchmark("sugarcrepe_pp").items[1].texts == (" A cat sits. ", "There sits a cat.", "A dog sits.")
    assert written.left_out.counts == {"caption2: is empty": 1, "id: is taken by an earlier item": 1}


def test_a_negative_that_is_the_caption_is_never_right(run: Any, put: Any, benchmark: Any) -> None:
    files(put)
    put("source/data/swap_obj.json", [record(0, "same", "other", "same")])
    run("sugarcrepe_pp")
    # Where all texts are alike, the rule is strict too; where the captions meet, all but the impossible one are right.
    near = {" A cat sits. ": 0, "There sits a cat.": 0, "A dog sits.": 1, "same": 2, "other": 2}

    def system(rows: Any) -> System:
        return System(
            name="y",
            embed_clips=lambda clips, queries: np.zeros((0, 3), np.float32),
            encode_text=lambda texts: rows[[near[text] for text in texts]],
        )

    found = MEASURES["triplet"](benchmark("sugarcrepe_pp"), system(np.eye(3, dtype=np.float32)))
    assert {group: found.figures[group] for group in GROUPS} == {
        "replace_att": 1.0,
        "replace_obj": 1.0,
        "replace_rel": 1.0,
        "swap_att": 1.0,
        "swap_obj": 0.0,
    }
    assert found.value == pytest.approx(0.8)
    assert MEASURES["triplet"](benchmark("sugarcrepe_pp"), system(np.ones((3, 3), np.float32))).value == 0.0


def test_a_part_is_refused_with_both_numbers(run: Any, put: Any) -> None:
    files(put)
    with pytest.raises(UserError, match="swap_obj: 1 found, the official release has 245"):
        run("sugarcrepe_pp", partial=False)
