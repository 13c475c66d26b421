"""Word boundaries against observed output of the original tokenizer."""

import json
from pathlib import Path

import pytest

from vljepa.evaluation.metrics.tokenizer import tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's dog, running.", "a man 's dog running"),
        ("It isn't; can't, won't, cannot!", "it is n't ca n't wo n't can not"),
        ("don’t say “stop” — now…", "do n't say stop now"),
        ("the dogs' park", "the dogs park"),
        ("gonna wanna y'all o'clock", "gon na wan na y' all o'clock"),
        ("a t-shirt and/or a 3-year-old at 5:30, 1,000 x", "a t-shirt and/or a 3-year-old at 5:30 1,000 x"),
        ("(two) [boxes]", "-lrb- two -rrb- -lsb- boxes -rsb-"),
        ("$5 or 50% at 12:30am", "$ 5 or 50 % at 12:30 am"),
        ("the u.s. team vs. mr. x", "the u.s. team vs. mr. x"),
        ("good.bye words...more", "good.bye words more"),
        ("wow!! a*b #1 #tag", "wow !! a * b # 1 #tag"),
        ("1990's 'em", "1990 's 'em"),
        ("", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert tokenize(text) == words.split()


def test_made_up_captions_are_cut_as_by_the_original() -> None:
    """490 captions as the Java tokenizer cut them: ``benchmarks/ptb_tokenizer.py JAR --write``."""
    lines = Path(__file__).with_name("ptb_captions.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    others = [caption for caption, words in rows if tokenize(caption) != words.split()]
    assert len(rows) > 450 and len(others) <= 0.01 * len(rows), others


def test_words_are_ours_to_change() -> None:
    tokenize("a cat").append("dog")
    assert tokenize("a cat") == ["a", "cat"]
