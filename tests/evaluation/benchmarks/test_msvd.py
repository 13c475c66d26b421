"""MSVD: every caption a query, and pickles that may hold captions but no code."""

import collections
import os
import pickle
from typing import Any

import pytest

from vljepa.errors import UserError

FIRST, DASHED, GONE = "eyhzdC936uk_15_27", "-_hbPLsZvvo_5_8", "zzit5b_-ukg_5_20"
SAID = {
    FIRST: [["a", "dog", "plays"], ["a", "dog", "plays"], ["un", "chien", "très", "petit"]],
    DASHED: [["a", "man", "is", "speaking"]],
    GONE: [["a", "cat"]],
    "of_the_1_2": [["training", "split"]],
}
LIST = f"{FIRST}\n{DASHED}\r\n{GONE}\n"


def source(put: Any, said: Any, listed: str = LIST, protocol: int = 4) -> None:
    put("source/raw-captions.pkl", pickle.dumps(said, protocol))
    put("source/test_list.txt", listed)
    put(f"source/YouTubeClips/{FIRST}.avi")
    put(f"source/YouTubeClips/{DASHED}.mp4")


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize(
    "kind",
    [dict, collections.OrderedDict, lambda said: collections.defaultdict(list, said)],
    ids=["dict", "ordered", "default"],
)
def test_every_caption_is_a_query(run: Any, put: Any, benchmark: Any, items: Any, kind: Any, protocol: int) -> None:
    source(put, kind(SAID), protocol=protocol)
    (written,) = run("msvd")
    found = benchmark("msvd")
    # Two people who said the same are two queries.
    assert [item.texts for item in found.items] == [
        ("a dog plays", "a dog plays", "un chien très petit"),
        ("a man is speaking",),
    ]
    assert items("msvd")[1]["media"] == f"../../media/msvd/YouTubeClips/{DASHED}.mp4"
    assert (found.official_items, found.info["paper"]) == (670, 0.523)
    assert written.missing and written.missing.read_text() == f"{GONE}\n"


@pytest.mark.parametrize(("given", "shared"), [({}, None), ({"texts": "own"}, None), ({"texts": "shared"}, True)])
def test_captions_of_several_clips(run: Any, put: Any, benchmark: Any, given: Any, shared: Any) -> None:
    source(put, SAID)
    run("msvd", options=given)
    assert benchmark("msvd").info.get("shared_texts") is shared


def test_no_such_texts(run: Any, put: Any) -> None:
    source(put, SAID)
    with pytest.raises(UserError, match=r"^--options texts=all: choose own or shared$"):
        run("msvd", options={"texts": "all"})


def test_texts_of_python_2(run: Any, put: Any, benchmark: Any) -> None:
    # Its pickles hold texts as bytes.
    python_2 = f"(dp0\nS'{FIRST}'\np1\n(lp2\n(lp3\nS'tr\\xc3\\xa8s'\np4\naS'petit'\np5\naas.".encode()
    source(put, SAID)
    put("source/raw-captions.pkl", python_2)
    run("msvd")
    assert [item.texts for item in benchmark("msvd").items] == [("très petit",)]


def test_bad_captions(run: Any, put: Any, benchmark: Any, tmp_path: Any) -> None:
    source(put, {FIRST: ["as a text", [], " ", ["x", ""]], DASHED: [["a", 5]]}, LIST + "u_1_2\n")
    put("source/u_1_2.avi")
    (written,) = run("msvd")
    listed = tmp_path / "source" / "test_list.txt"
    assert [item.texts for item in benchmark("msvd").items] == [("as a text", "x")]
    assert written.repaired.examples == {
        "captions: one is empty, dropped": [f"{listed}:1: number 1", f"{listed}:1: number 2"]
    }
    assert written.left_out.examples == {
        "captions: one is no text": [f"{listed}:2: number 0: ['a', 5]"],
        "captions: is missing": [f"{listed}:3", f"{listed}:4"],
    }


class Harm:
    def __init__(self, call: Any, *given: Any) -> None:
        self.reduced = call, given

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("named", ["system", "eval", "getattr"])
def test_a_pickle_runs_no_code(run: Any, put: Any, tmp_path: Any, named: str, protocol: int) -> None:
    harm = {
        "system": Harm(os.system, f"touch {tmp_path}/harmed"),
        "eval": Harm(eval, f"open({str(tmp_path / 'harmed')!r}, 'w')"),
        "getattr": Harm(getattr, dict, "fromkeys"),
    }[named]
    source(put, {FIRST: [[harm]]}, protocol=protocol)
    with pytest.raises(UserError, match=r"raw-captions.pkl: asks for \w+\.\w+, which a file of texts does not need"):
        run("msvd")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (pickle.dumps(SAID)[:-20], "is no whole pickle"),
        (b"\n\n", r"is empty \(2 bytes\)"),
        (pickle.dumps([FIRST]), "holds list, not a dict of captions"),
    ],
)
def test_broken_pickles(run: Any, put: Any, contents: bytes, message: str) -> None:
    source(put, SAID)
    put("source/raw-captions.pkl", contents)
    with pytest.raises(UserError, match=rf"raw-captions.pkl: {message}"):
        run("msvd")
