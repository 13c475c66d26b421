"""Whether the model knows what it does not know: its familiarity score on its own world and on what is not."""

from collections.abc import Sequence
from pathlib import Path

from vljepa.api import CAPTION_QUERY, IMAGE_QUERY
from vljepa.demo.records import Familiarity, Verdict
from vljepa.demo.seen import Seen
from vljepa.model.familiarity import UNFAMILIAR
from vljepa.types import Clip


def measure(seen: Seen, clips: Sequence[Clip], unlike: Sequence[tuple[str, Path]]) -> Familiarity:
    """The score of held-out clips of the training world, and of videos unlike it.

    Args:
        clips: of the training world.
        unlike: names and files.
    """
    p_values = seen.p_values(clips)
    return Familiarity(
        p_values=p_values,
        flagged=int((p_values < UNFAMILIAR).sum()),
        unlike=tuple(judge(seen, name, path) for name, path in unlike),
    )


def judge(seen: Seen, name: str, path: Path) -> Verdict:
    """The verdict on one video or image, with what the model would say of it.

    Raises:
        UserError: the file cannot be read.
    """
    clip = Clip(media=(str(path.absolute()),))
    strip = seen.strip(clip)
    p_value = float(seen.p_values([clip])[0])
    caption = seen.write(seen.embed([clip], [CAPTION_QUERY if len(strip) > 1 else IMAGE_QUERY]))[0]
    return Verdict(name=name, p_value=p_value, familiar=p_value >= UNFAMILIAR, strip=strip, caption=caption)
