"""Sentences that the summary and the page share."""

from vljepa.demo.records import Economy, Familiarity, Tally, Verdict

PAPER = "https://arxiv.org/abs/2512.10942"
WORLD = (
    "Tabletop is a made-up world of short videos: a hand acts on objects on a table. No clip below was used in "
    "training. What each shows is known, so every answer is marked. The clips shown are spread evenly over the list, "
    "not picked, and the counts are over the whole list. Results on a made-up world say nothing about real video."
)
SEARCH = (
    "Each clip is embedded once; a text finds the clips whose embeddings are nearest. Every clip has its own text, and "
    "no two clips show the same."
)
STREAM = (
    "The video is embedded four times a second. It is decoded into text only where the embeddings of the last two "
    "seconds spread beyond a threshold: where the meaning changes."
)
FAMILIARITY = (
    "Before it is believed, a video is compared with the training world. The score is the share of held-out training "
    "clips that are at least as unusual: any value is equally likely for that world, near 0 for anything else. Below "
    "0.01 a video counts as unlike, and so does one clip in a hundred of the world itself."
)
SMALL_SAMPLE = (
    "One stream is a small sample. The figure to quote is measured over 20 streams, with an interval: vljepa eval on "
    "the stream benchmark."
)


def p_value(value: float) -> str:
    """A p-value as printed; the calibration resolves thousandths."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def percent(share: float) -> str:
    """A share as printed; number and sign never part."""
    return f"{share * 100:.1f}\u00a0%"


def count(tally: Tally) -> str:
    """How many of all."""
    return f"{tally.right} of {tally.of}"


def verdict(found: Verdict) -> str:
    """The verdict as a sentence."""
    if found.familiar:
        return f"Like the videos it was trained on ({p_value(found.p_value)})."
    return f"Unlike anything it was trained on ({p_value(found.p_value)})."


NO_ACTION = "no action has its middle here"


def mistaken(found: Familiarity) -> str:
    """How often clips of the training world were called unlike it."""
    return (
        f"On its own world, {found.flagged} of {len(found.p_values)} held-out clips are called unlike by mistake; "
        f"about {len(found.p_values) / 100:.0f} are to be expected."
    )


def spared(economy: Economy) -> str:
    """What decoding at equal intervals would have taken."""
    score = f"CIDEr-D {economy.cider:.2f}"
    if economy.cider <= 0:
        return f"What was said shares no wording with the truth ({score}), so there is no quality to compare."
    if economy.uniform is None:
        return f"Decoding at equal intervals never reached that quality ({score}), with up to {economy.most} decodings."
    lead = f"Decoding at equal intervals first reaches the same quality ({score}) with {economy.uniform:.0f} decodings"
    ratio = economy.uniform / economy.decodings
    return f"{lead}, {ratio:.1f} times as many." if ratio > 1 else f"{lead}: nothing was spared here."


def with_hindsight(saving: float) -> str:
    """What cutting the stream offline spares.

    Args:
        saving: how many times fewer decodings match decoding once a second; 0 where no number of them does.
    """
    lead = "Cut with hindsight (Ward's clustering, as in the paper), decoding once a second is "
    if saving <= 0:
        return f"{lead}never matched."
    return f"{lead}matched with {saving:.1f} times fewer decodings." if saving > 1 else f"{lead}matched, but with more."


def told_right(economy: Economy) -> str:
    """How often, and how rightly, the stream was decoded."""
    return (
        f"The stream was decoded {economy.decodings} times. Told rightly, in action and objects, by the text nearest "
        f"in time: {economy.right} of {economy.annotations} actions."
    )
