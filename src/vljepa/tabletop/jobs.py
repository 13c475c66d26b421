"""One unit of the suite's work each: simulate, render, write the media, and return the rows of text about it.

Every job is a pure function of its fields, so jobs run in any process and order and give the same rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vljepa.tabletop import language
from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.asking import Row, choice_rows, question_rows
from vljepa.tabletop.procedures import simulate_procedure, simulate_stream
from vljepa.tabletop.render import render, render_state
from vljepa.tabletop.scene import COLOURS, FPS, SHAPES, TWO_OBJECT_VERBS, VERBS, Episode, Item, Step

CAPTION_QUERIES = ("Describe this video in one sentence.", "What happens in this video?", "Caption this video.")
IMAGE_QUERIES = ("Describe this image.", "What does this image show?")
ACTION_QUERY = "What is the action shown?"
PROCEDURE_QUERY = "What is the procedure?"
STEP_QUERY = "What is the step?"
NEXT_QUERY = "What happens next?"
CHANGE_QUERY = "Which action explains the change?"

LONG = 1800.0
"""Seconds from which on streams are a benchmark of their own."""
CONTEXT_STEPS = 3
"""Steps shown before the one to anticipate, at most."""
_IMAGE_ROUNDS, _VIDEO_ROUNDS = 2, 1
"""Training questions of each group about one image, and about the end of one action clip, at most."""
_PARAPHRASES = 6
_REFERENCES = 5

Rows = dict[str, list[Row]]
"""Manifest or benchmark name -> its rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What to simulate and where it goes."""

    kind: str
    """``action``, ``novel``, ``procedure``, ``new_order``, ``image``, ``world_model`` or ``stream``."""
    split: str
    """``train``, ``validation`` or ``test``."""
    index: int
    seed: int
    """Of the episode; distinct between splits."""
    out: Path
    """The suite's folder."""
    pixels: int
    """Height and width of the pictures."""
    verb: str = ""
    shape: str = ""
    procedure: str = ""
    seconds: float = 0.0
    """Length of a stream."""

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.index:05d}"

    def path(self, name: str) -> Path:
        return self.out / self.split / "media" / self.kind / name

    def media(self, name: str) -> str:
        """The path of a media file as the rows name it: train manifests lie beside ``media``, items one deeper."""
        return f"{'' if self.split == 'train' else '../'}media/{self.kind}/{name}"

    def episode(self) -> Episode:
        if self.kind == "procedure":
            return simulate_procedure(self.seed, self.procedure, exclude_pairs=language.HELD_OUT_PAIRS)
        return simulate_action(self.seed, self.verb, shape=self.shape, exclude_pairs=language.HELD_OUT_PAIRS)


def run(job: Job) -> Rows:
    """Do the job: write its media and return its rows."""
    return _RUNNERS[job.kind](job)


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: int = FPS) -> None:
    """Write uint8 RGB frames (H, W, 3) as an H.264 MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "18", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def write_image(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a uint8 RGB picture (H, W, 3) as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, compress_level=3)


def _span(start: float, end: float) -> dict[str, float]:
    return {"start": round(start, 3), "end": round(end, 3)}


def fact(episode: Episode) -> tuple[str, ...]:
    """What a one-step episode shows, up to wording: verb, X and Y by colour and shape."""
    step = episode.steps[0]
    items = [episode.items[i] for i in (step.item, step.other) if i is not None]
    return (step.verb, *(part for item in items for part in (item.colour, item.shape)))


def _action(job: Job) -> Rows:
    episode = job.episode()
    step = episode.steps[0]
    name = f"{job.index:05d}.mp4"
    write_video(job.path(name), render(episode, job.pixels))
    media, rng = job.media(name), np.random.default_rng([job.seed, 1])
    texts = language.captions(episode, step, job.seed, _PARAPHRASES)
    if job.split == "train":
        rows: Rows = {"videos": [{"id": job.id, "media": media, "targets": list(texts)}]}
        query = CAPTION_QUERIES[int(rng.integers(len(CAPTION_QUERIES)))]
        labels = list(language.action_labels(step.verb, job.shape))
        rows["sft_videos"] = [{"id": f"{job.id}-caption", "media": media, "query": query, "targets": list(texts)}]
        rows["sft_actions"] = [{"id": f"{job.id}-action", "media": media, "query": ACTION_QUERY, "targets": labels}]
        asked = np.random.default_rng([job.seed, 7])
        rows["sft_video_questions"] = question_rows(job.id, media, episode.items, step.after, asked, _VIDEO_ROUNDS)
        if step.before != step.after:
            rows["sft_pairs"] = [
                {"id": job.id, "media": _write_pair(job, episode, step), "query": CHANGE_QUERY, "targets": list(texts)}
            ]
        return rows
    whole = {"id": job.id, "media": media, "start": 0.0, "end": episode.num_frames / FPS}
    rows = {
        "action": [{**whole, "label": language.action_label(step.verb, job.shape)}],
        "retrieval": [{**whole, "texts": [texts[0]]}],
        "caption": [{**whole, "references": list(texts[:_REFERENCES])}],
        "triplet": _triplets(job, episode, step),
    }
    return rows | choice_rows(job.id, media, episode.items, step.after, rng, 1)


def _write_pair(job: Job, episode: Episode, step: Step) -> list[str]:
    names = []
    for moment, state in (("initial", step.before), ("final", step.after)):
        names.append(f"{job.index:05d}-{moment}.png")
        write_image(job.path(names[-1]), render_state(episode.seed, episode.items, state, job.pixels))
    return [job.media(name) for name in names]


def _triplets(job: Job, episode: Episode, step: Step) -> list[Row]:
    """Two ways of saying what happens and a third text, worded as the first, that is wrong in one respect."""
    rng = np.random.default_rng([job.seed, 2])
    x = episode.items[step.item]

    def said(other: Episode, action: Step) -> str:
        return language.caption(other, action, np.random.default_rng([job.seed, 3]))

    def with_x(item: Item) -> Episode:
        return replace(episode, items=tuple(item if i == step.item else o for i, o in enumerate(episode.items)))

    def another(options: Iterable[str], than: str) -> str:
        rest = [option for option in options if option != than]
        return rest[int(rng.integers(len(rest)))]

    first = said(episode, step)
    second = next((t for t in language.captions(episode, step, job.seed, _PARAPHRASES) if t != first), first)
    verbs = [verb for verb in VERBS if (verb in TWO_OBJECT_VERBS) == (step.other is not None)]
    wrong = {
        "replace_attribute": said(with_x(replace(x, colour=another(COLOURS, x.colour))), step),
        "replace_object": said(with_x(replace(x, shape=another(SHAPES, x.shape))), step),
        "replace_relation": said(episode, replace(step, verb=another(verbs, step.verb))),
    }
    if step.other is not None and step.verb != "swap":  # swapping A and B is swapping B and A
        y = episode.items[step.other]
        wrong["swap_object"] = said(episode, replace(step, item=step.other, other=step.item))
        if x.colour != y.colour:
            traded = {step.item: replace(x, colour=y.colour), step.other: replace(y, colour=x.colour)}
            items = tuple(traded.get(i, item) for i, item in enumerate(episode.items))
            wrong["swap_attribute"] = said(replace(episode, items=items), step)
    return [{"id": f"{job.id}-{g}", "p1": first, "p2": second, "n": n, "group": g} for g, n in wrong.items()]


def _novel(job: Job) -> Rows:
    pair = sorted(language.HELD_OUT_PAIRS)[job.index % len(language.HELD_OUT_PAIRS)]
    episode = simulate_action(job.seed, job.verb, shape=pair[1], only_pairs=frozenset({pair}))
    name = f"{job.index:05d}.mp4"
    write_video(job.path(name), render(episode, job.pixels))
    label = language.novel_label(job.verb, *pair)
    whole = {"id": job.id, "media": job.media(name), "start": 0.0, "end": episode.num_frames / FPS}
    return {"action_novel": [{**whole, "label": label}]}


def _procedure(job: Job) -> Rows:
    episode = job.episode()
    name = f"{job.index:05d}.mp4"
    write_video(job.path(name), render(episode, job.pixels))
    media = job.media(name)
    whole = {"id": job.id, "media": media, "start": 0.0, "end": episode.num_frames / FPS}
    phrases = list(language.procedure_captions(job.procedure))
    train = job.split == "train"
    rows: Rows = (
        {"videos": [{**whole, "targets": phrases}],
         "sft_procedures": [{**whole, "query": PROCEDURE_QUERY, "targets": phrases}], "sft_videos": []}
        if train
        else {"procedure": [{**whole, "label": phrases[0]}], "step": [], "anticipation": []}
    )  # fmt: skip
    for number, step in enumerate(episode.steps):
        clip = {"id": f"{job.id}-{number}", "media": media, **_span(step.start, step.end)}
        labels = list(language.action_labels(step.verb, None))
        texts = list(language.captions(episode, step, job.seed + number, _PARAPHRASES))
        if train:
            rows["videos"].append({**clip, "targets": texts})
            rows["sft_procedures"].append({**clip, "query": STEP_QUERY, "targets": labels})
            # As a stream asks: what is seen of a procedure for two seconds is one of its steps.
            query = CAPTION_QUERIES[(job.index + number) % len(CAPTION_QUERIES)]
            rows["sft_videos"].append({**clip, "id": f"{clip['id']}-caption", "query": query, "targets": texts})
        else:
            rows["step"].append({**clip, "label": labels[0]})
        if number == 0:
            continue
        previous = episode.steps[max(0, number - CONTEXT_STEPS) : number]
        context = {"id": f"{job.id}-next-{number}", "media": media, **_span(previous[0].start, previous[-1].end)}
        if train:
            rows["sft_procedures"].append({**context, "query": NEXT_QUERY, "targets": labels})
        else:
            horizon = round(step.start - previous[-1].end, 3)
            rows["anticipation"].append({**context, "label": labels[0], "horizon": horizon})
    return rows


def _new_order(job: Job) -> Rows:
    episode = simulate_procedure(job.seed, job.procedure, exclude_pairs=language.HELD_OUT_PAIRS, held_out_order=True)
    name = f"{job.index:05d}.mp4"
    write_video(job.path(name), render(episode, job.pixels))
    label = language.procedure_label(job.procedure)
    whole = {"id": job.id, "media": job.media(name), "start": 0.0, "end": episode.num_frames / FPS}
    return {"procedure_new_order": [{**whole, "label": label}]}


def _image(job: Job) -> Rows:
    rng = np.random.default_rng([job.seed, 4])
    episode = simulate_action(
        job.seed, job.verb, exclude_pairs=language.HELD_OUT_PAIRS, num_items=int(rng.integers(1, 7))
    )
    state = episode.steps[0].before if rng.random() < 0.5 else episode.steps[0].after
    name = f"{job.index:05d}.png"
    write_image(job.path(name), render_state(episode.seed, episode.items, state, job.pixels))
    media = job.media(name)
    if job.split != "train":
        return choice_rows(job.id, media, episode.items, state, rng, 4)
    texts = list(dict.fromkeys(language.scene_caption(episode.items, state, rng) for _ in range(_PARAPHRASES)))
    query = IMAGE_QUERIES[int(rng.integers(len(IMAGE_QUERIES)))]
    asked = np.random.default_rng([job.seed, 7])
    return {
        "images": [{"id": job.id, "media": media, "targets": texts}],
        "sft_images": [{"id": f"{job.id}-caption", "media": media, "query": query, "targets": texts}],
        "sft_image_questions": question_rows(job.id, media, episode.items, state, asked, _IMAGE_ROUNDS),
    }


def _world_model(job: Job) -> Rows:
    """Before and after; which of four clips lies between? Two wrong ones act on the same kind of object, one is the
    same action on another."""
    rng = np.random.default_rng([job.seed, 5])
    episode = job.episode()
    step = episode.steps[0]
    x = episode.items[step.item]
    same_pair = frozenset({(x.colour, x.shape)})
    verbs = rng.permutation([verb for verb in VERBS if verb != job.verb])[:2]
    wrong = [
        simulate_action(job.seed + 1 + i, str(v), shape=x.shape, only_pairs=same_pair) for i, v in enumerate(verbs)
    ]
    shape = str(rng.choice([shape for shape in SHAPES if shape != x.shape]))
    wrong.append(simulate_action(job.seed + 3, job.verb, shape=shape, exclude_pairs=language.HELD_OUT_PAIRS))
    answer = int(rng.integers(len(wrong) + 1))
    wrong.insert(answer, episode)
    candidates = []
    for number, candidate in enumerate(wrong):
        name = f"{job.index:05d}-{number}.mp4"
        write_video(job.path(name), render(candidate, job.pixels))
        candidates.append({"media": job.media(name), "start": 0.0, "end": candidate.num_frames / FPS})
    initial, final = _write_pair(job, episode, step)
    row = {"id": job.id, "initial": initial, "final": final, "candidates": candidates, "answer": answer}
    return {"world_model": [row]}


def _stream(job: Job) -> Rows:
    episode = simulate_stream(job.seed, job.seconds, exclude_pairs=language.HELD_OUT_PAIRS)
    name = f"{job.index:05d}.mp4"
    # An hour of frames would not fit in memory beside another.
    minutes = (range(episode.num_frames)[at : at + 60 * FPS] for at in range(0, episode.num_frames, 60 * FPS))
    write_video(job.path(name), (frame for some in minutes for frame in render(episode, job.pixels, some)))
    rng = np.random.default_rng([job.seed, 6])
    annotations = [
        {"time": round((step.start + step.end) / 2, 3), "text": language.caption(episode, step, rng)}
        for step in episode.steps
    ]
    benchmark = "stream_hour" if job.seconds >= LONG else "stream"
    return {benchmark: [{"id": job.id, "media": job.media(name), "annotations": annotations}]}


_RUNNERS: dict[str, Callable[[Job], Rows]] = {
    "action": _action,
    "novel": _novel,
    "procedure": _procedure,
    "new_order": _new_order,
    "image": _image,
    "world_model": _world_model,
    "stream": _stream,
}
