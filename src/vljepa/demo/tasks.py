"""The tasks on short clips, each on all the benchmark's items, with a few of them shown: caption, answer, classify,
forecast, search."""

from pathlib import Path

import numpy as np

from vljepa.demo.facts import compare
from vljepa.demo.records import Answer, Example, Found, Hit, Part, Search, Tally
from vljepa.demo.seen import Seen, spread, whole
from vljepa.evaluation.benchmark import Benchmark, Item, read_benchmark
from vljepa.evaluation.metrics.retrieval import ranks
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify as rank_labels
from vljepa.tasks.retrieve import rank
from vljepa.tasks.unit import unit_rows
from vljepa.types import Clip

SHOWN = 3
"""Items shown of each task."""
_QUESTIONS = ("counting", "compositional", "existence")


def action_clips(world: Path) -> list[Clip]:
    """The clips that are captioned, asked about, labelled and searched."""
    return [_file(item) for item in read_benchmark(world / "caption").items]


def other_clips(world: Path) -> list[Clip]:
    """Clips of unseen objects, and those before the steps to foretell."""
    novel = [_file(item) for item in read_benchmark(world / "action_novel").items]
    return novel + [_span(item) for item in read_benchmark(world / "anticipation").items]


def describe(seen: Seen, world: Path) -> Part:
    """Captions of all clips, and all questions on them."""
    bench = read_benchmark(world / "caption")
    clips = [_file(item) for item in bench.items]
    captions = seen.write(seen.embed(clips, [bench.query] * len(clips)))
    agreements = [compare(said, item.texts[0]) for said, item in zip(captions, bench.items, strict=True)]
    asked, tallies = _ask(seen, world)
    examples = []
    for i in spread(SHOWN, len(clips)):
        agreement = agreements[i]
        parts = {"action": agreement.action, "objects": agreement.things}
        wrong = " and ".join(name for name, right in parts.items() if not right)
        caption = Answer(
            asked="Describe this video.",
            said=captions[i],
            truth=bench.items[i].texts[0],
            right=agreement.whole,
            note=f"wrong: {wrong}" if wrong else "",
        )
        strip = seen.strip(clips[i])
        examples.append(
            Example(name=_place(i, len(clips)), strip=strip, answers=(caption, *asked.get(clips[i], [])[:2]))
        )
    return Part(
        title="Caption, and two questions",
        explanation="The model predicts the embedding of an answer; a small decoder writes captions out of it, and "
        "answers are the nearest of the choices. A caption is right when it names the true action and "
        "the true colour and shape of every object in it, in whatever words.",
        examples=tuple(examples),
        tallies=(
            Tally(what="captions with the right action", right=sum(a.action for a in agreements), of=len(clips)),
            Tally(what="captions with the right objects", right=sum(a.things for a in agreements), of=len(clips)),
            Tally(what="captions right in both", right=sum(a.whole for a in agreements), of=len(clips)),
            *tallies,
        ),
    )


def classify(seen: Seen, world: Path) -> Part:
    """Labels as in training, then labels of words no training text has, on objects no training clip shows."""
    examples: list[Example] = []
    tallies: list[Tally] = []
    for name, what in (("action", "familiar words"), ("action_novel", "unseen words and objects")):
        bench = read_benchmark(world / name)
        more, counted = _labelled(seen, bench, [_file(item) for item in bench.items], what)
        examples += more
        tallies += counted
    return Part(
        title="Labels in words it never saw",
        explanation="Labels are plain text, so any will do. The first clips are told apart by labels in words "
        "of the training texts; the last ones show objects of colours and shapes never paired in training, under "
        'labels whose words for action, colour and shape no training text contains ("twirling the lemon brick").',
        examples=tuple(examples),
        tallies=tuple(tallies),
    )


def forecast(seen: Seen, world: Path) -> Part:
    """The step that follows the steps seen."""
    bench = read_benchmark(world / "anticipation")
    examples, tallies = _labelled(seen, bench, [_span(item) for item in bench.items], "next step")
    return Part(
        title="What happens next",
        explanation="The model sees the last one to three steps of a longer procedure and is asked for the one after. "
        "Some of it cannot be known: the order of steps varies.",
        examples=tuple(examples),
        tallies=tuple(tallies),
    )


def search(seen: Seen, world: Path) -> Search:
    """All clips searched by the text of each."""
    bench = read_benchmark(world / "retrieval")
    clips = [_file(item) for item in bench.items]
    pool = seen.embed(clips, [bench.query] * len(clips))
    texts = [item.texts[0] for item in bench.items]
    queries = unit_rows(seen.model.encode_text(texts))
    places = ranks(queries, pool, [[i] for i in range(len(clips))])
    shown = spread(SHOWN, len(clips))
    best, scores = rank(queries[shown], pool, SHOWN)
    found = [
        Found(
            text=texts[i],
            rank=int(places[i]),
            hits=tuple(
                Hit(strip=seen.strip(clips[j]), truth=texts[j], right=bool(i == j), score=float(score))
                for j, score in zip(row, row_scores, strict=True)
            ),
        )
        for i, row, row_scores in zip(shown, best, scores, strict=True)
    ]
    tallies = tuple(
        Tally(
            what=f"the right clip {'first' if k == 1 else f'among the first {k}'}",
            right=int((places <= k).sum()),
            of=len(clips),
            chance=k / len(clips),
        )
        for k in (1, 5, 10)
        if k <= len(clips)
    )
    return Search(found=tuple(found), tallies=tallies, pool=len(clips))


def _labelled(seen: Seen, bench: Benchmark, clips: list[Clip], what: str) -> tuple[list[Example], list[Tally]]:
    predicted = seen.embed(clips, [bench.query] * len(clips))
    ranked = [
        [scored.text for scored in row]
        for row in rank_labels(predicted, bench.classes, seen.model.encode_text, bench.templates)
    ]
    truths = [item.truth for item in bench.items]
    examples = []
    for i in spread(SHOWN, len(clips)):
        place = ranked[i].index(truths[i]) + 1
        said = Answer(
            asked=bench.query,
            said=ranked[i][0],
            truth=truths[i],
            right=place == 1,
            note="" if place == 1 else f"the true label came in place {place} of {len(bench.classes)}",
        )
        examples.append(Example(name=f"{what}, {_place(i, len(clips))}", strip=seen.strip(clips[i]), answers=(said,)))
    tallies = [
        Tally(
            what=f"{what}: {'right' if k == 1 else f'truth among the first {k}'}, of {len(bench.classes)} labels",
            right=sum(truth in row[:k] for row, truth in zip(ranked, truths, strict=True)),
            of=len(clips),
            chance=k / len(bench.classes),
        )
        for k in (1, 5)
    ]
    return examples, tallies


def _ask(seen: Seen, world: Path) -> tuple[dict[Clip, list[Answer]], list[Tally]]:
    """Every question answered: the answers by clip, kind after kind, and how many were right of each kind."""
    by_clip: dict[Clip, list[Answer]] = {}
    tallies = []
    for name in _QUESTIONS:
        items = read_benchmark(world / name).items
        ranked = answer(
            seen.embed([_file(item) for item in items], [item.question for item in items]),
            [item.choices for item in items],
            seen.model.encode_text,
        )
        for item, row in zip(items, ranked, strict=True):
            said = Answer(asked=item.question, said=row[0].text, truth=item.truth, right=row[0].text == item.truth)
            by_clip.setdefault(_file(item), []).append(said)
        right = sum(row[0].text == item.truth for item, row in zip(items, ranked, strict=True))
        chance = float(np.mean([1 / len(item.choices) for item in items]))
        tallies.append(Tally(what=f"{name} questions", right=right, of=len(items), chance=chance))
    return by_clip, tallies


def _file(item: Item) -> Clip:
    """The whole file of an item; action clips are whole files, with or without their times stated."""
    assert item.clip is not None
    return whole(item.clip)


def _span(item: Item) -> Clip:
    """An item's own stretch of a longer file."""
    assert item.clip is not None
    return item.clip


def _place(index: int, of: int) -> str:
    return f"clip {index + 1} of {of}"
