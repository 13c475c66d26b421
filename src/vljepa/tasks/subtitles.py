"""Events as subtitles: SubRip and WebVTT (https://www.w3.org/TR/webvtt1/), a cue at a time, so that files can grow."""

from vljepa.types import Event

VTT_HEADER = "WEBVTT\n\n"
"""What a WebVTT file begins with."""


def srt_cue(number: int, event: Event) -> str:
    """A cue of a SubRip file; nothing for an event without text.

    Args:
        number: of the cue, from 1.
        event: times in seconds.
    """
    # SubRip knows no escapes.
    text = _lines(event.text).replace("-->", "->")
    return f"{number}\n{_span(event, ',')}\n{text}\n\n" if text else ""


def vtt_cue(event: Event) -> str:
    """A cue of a WebVTT file; nothing for an event without text."""
    text = _lines(event.text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_span(event, '.')}\n{text}\n\n" if text else ""


def _lines(text: str) -> str:
    """A blank line would end the cue."""
    return "\n".join(line.strip() for line in text.replace("\0", "").splitlines() if line.strip())


def _span(event: Event, point: str) -> str:
    start, end = round(event.start * 1000), round(event.end * 1000)
    # A cue must last; an event of a single instant does not.
    return f"{_clock(start, point)} --> {_clock(max(end, start + 1), point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{milliseconds:03}"
