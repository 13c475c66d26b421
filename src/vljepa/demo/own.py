"""The user's own video or image: the verdict first, then everything the model says of it."""

from pathlib import Path

from vljepa.api import ACTION_QUERY, CAPTION_QUERY, IMAGE_QUERY, STREAM_RATE_HZ
from vljepa.data.video import probe
from vljepa.demo.familiar import judge
from vljepa.demo.records import Answer, Example, OwnReport, Part
from vljepa.demo.seen import Seen
from vljepa.demo.streams import LONGEST, watch_file
from vljepa.tabletop.language import action_label
from vljepa.tabletop.questions import COUNTS, YES_NO
from vljepa.tabletop.scene import VERBS
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify
from vljepa.types import Clip

_QUESTIONS = (("How many objects are there?", COUNTS), ("Is there a red cube?", YES_NO))
_LABELS = tuple(action_label(verb, None) for verb in VERBS)


def look_at(seen: Seen, path: Path, model: str) -> OwnReport:
    """Verdict, caption, two questions, an action and a timeline.

    Args:
        model: its name.

    Raises:
        UserError: the file cannot be read.
    """
    info = probe(path)
    verdict = judge(seen, path.name, path)
    clip = Clip(media=(str(path.absolute()),))
    queries = [question for question, _ in _QUESTIONS] + [ACTION_QUERY]
    rows = seen.embed([clip] * len(queries), queries)
    answers = answer(rows[: len(_QUESTIONS)], [choices for _, choices in _QUESTIONS], seen.model.encode_text)
    labels = classify(rows[len(_QUESTIONS) :], _LABELS, seen.model.encode_text)[0]
    still = info.num_frames == 1
    said = (
        Answer(asked=IMAGE_QUERY if still else CAPTION_QUERY, said=verdict.caption),
        *(Answer(asked=question, said=row[0].text) for (question, _), row in zip(_QUESTIONS, answers, strict=True)),
        Answer(
            asked=ACTION_QUERY,
            said=labels[0].text,
            note=f"best of {len(labels)} labels; next: {labels[1].text}; {labels[2].text}",
        ),
    )
    watched = None if still else watch_file(seen, path)
    return OwnReport(
        model=model,
        verdict=verdict,
        part=Part(
            title="Caption, two questions, and the action",
            explanation="Answers are the nearest of the choices, the action the nearest of the labels Tabletop knows. "
            "Any other labels will do: vljepa classify VIDEO LABEL LABEL ...",
            examples=(Example(name=path.name, strip=verdict.strip, answers=said),),
        ),
        watched=watched,
        cut=watched is not None and info.duration > LONGEST + 1 / STREAM_RATE_HZ,
    )
