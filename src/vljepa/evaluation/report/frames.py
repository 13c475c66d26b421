"""What an item shows, as one picture."""

import numpy as np
from jaxtyping import UInt8

from vljepa.data.video import probe, read_clip
from vljepa.evaluation.result import Outcome
from vljepa.types import Clip


def read_strip(outcome: Outcome) -> UInt8[np.ndarray, "H W 3"]:
    """First, middle and last third of a clip, or the image of an item, side by side.

    Raises:
        UserError: the medium is gone or cannot be read.
    """
    still = probe(outcome.media).num_frames == 1
    clip = Clip(media=(outcome.media,), start=outcome.start, end=outcome.end)
    return np.concatenate(list(read_clip(clip, 1 if still else 3, size=176)), axis=1)
