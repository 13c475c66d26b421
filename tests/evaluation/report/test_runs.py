"""Runs read back, damaged ones, and several together."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vljepa.errors import UserError
from vljepa.evaluation.report import write_results
from vljepa.evaluation.report.runs import merge, read_run
from vljepa.evaluation.result import CurvePoint, Evaluation, Omission, Outcome, Result

Make = Callable[..., Result]
Together = Callable[..., Evaluation]


def test_what_is_written_is_read(make_result: Make, make_evaluation: Together, tmp_path: Path) -> None:
    found = make_evaluation(
        make_result(
            "action",
            paper=0.7,
            official=9,
            figures={"top-5": 0.75},
            outcomes=[Outcome(id="1", media="a.mp4", start=1.5, expected="left", found="right", score=0.0)],
            left_out=["a line"],
        ),
        make_result("stream", curve=[CurvePoint(method="ward exact", rate_hz=1.0, cider=2.0)], chance=None),
    )
    found.omissions.append(Omission(system="nano", benchmark="caption", reason="it cannot"))
    write_results(found, tmp_path)
    assert read_run(tmp_path) == found == read_run(tmp_path / "results.json")


def test_fields_of_a_later_version_are_passed_over(
    make_result: Make, make_evaluation: Together, tmp_path: Path
) -> None:
    write_results(make_evaluation(make_result("action")), tmp_path)
    path = tmp_path / "results.json"
    values = json.loads(path.read_text())
    values["later"] = values["results"][0]["later"] = [1]
    path.write_text(json.dumps(values))
    assert read_run(tmp_path).results[0].benchmark == "action"


def change(values: Any, *keys: Any, to: Any = None) -> None:
    for key in keys[:-1]:
        values = values[key]
    if to is None:
        del values[keys[-1]]
    else:
        values[keys[-1]] = to


@pytest.mark.parametrize(
    ("keys", "to", "said"),
    [
        (("results", 0, "value"), None, r"results\[0\].value is missing"),
        (("results", 0, "value"), "high", r"results\[0\].value is str"),
        (("results", 0, "value"), float("nan"), r"results\[0\].value is nan"),
        (("results", 0, "count"), True, r"results\[0\].count is bool"),
        (("results", 0, "interval"), [1.0], r"results\[0\].interval has 1 values, not 2"),
        (("results", 0, "figures"), {"top-5": "x"}, r"results\[0\].figures.top-5 is str"),
        (("results",), [], "holds no result"),
        (("systems",), {"other": "what"}, "a system 'nano' that `systems` does not name"),
        (("systems",), [1], "systems is list"),
    ],
)
def test_damage_is_named(
    keys: tuple[Any, ...], to: Any, said: str, make_result: Make, make_evaluation: Together, tmp_path: Path
) -> None:
    write_results(make_evaluation(make_result("action")), tmp_path)
    path = tmp_path / "results.json"
    values = json.loads(path.read_text())
    change(values, *keys, to=to)
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=said) as error:
        read_run(tmp_path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("content", ["", '{"systems": {', "[]", "null", "\x00\x01"])
def test_what_is_no_result_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(UserError, match="damaged"):
        read_run(tmp_path)


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there; name a folder that `vljepa eval"):
        read_run(tmp_path / "absent")


def test_runs_come_together(make_result: Make, make_evaluation: Together) -> None:
    first = make_evaluation(make_result("action"), make_result("action", "other"))
    names = ("caption", "stream")
    first.omissions.extend(Omission(system="other", benchmark=name, reason="it cannot") for name in names)
    second = make_evaluation(make_result("caption", "other"), make_result("action"))
    found = merge([(Path("a"), first), (Path("b"), second)])
    assert list(found.systems) == ["nano", "other"]
    # What both have found stands once; what one could not measure, the other has.
    assert [(r.benchmark, r.system) for r in found.results] == [
        ("action", "nano"),
        ("action", "other"),
        ("caption", "other"),
    ]
    assert [o.benchmark for o in found.omissions] == ["stream"]


def test_systems_of_one_name_must_be_one(make_result: Make, make_evaluation: Together) -> None:
    first = make_evaluation(make_result("action"))
    second = Evaluation(systems={"nano": "checkpoint x"}, results=[make_result("step")])
    with pytest.raises(
        UserError, match=r"^a and b disagree about the system 'nano': 'what nano is', or 'checkpoint x'"
    ):
        merge([(Path("a"), first), (Path("b"), second)])


def test_results_of_one_name_must_be_equal(make_result: Make, make_evaluation: Together) -> None:
    first = make_evaluation(make_result("action"))
    second = make_evaluation(replace(first.results[0], value=0.25, count=8))
    with pytest.raises(UserError, match=r"about 'nano' on action: top-1 0.5000 of 4 items, or top-1 0.2500 of 8"):
        merge([(Path("a"), first), (Path("b"), second)])
