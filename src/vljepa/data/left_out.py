"""What could not be used: counted by reason, the first few of each named."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_NAMED = 3
"""Messages kept of each reason."""


class Problem(NamedTuple):
    """Why one thing could not be used."""

    reason: str
    """Of a kind that is counted."""
    message: str
    """One line that names the thing."""


@dataclass(slots=True)
class LeftOut:
    """A count for each reason, and the first messages. Adding up millions of samples costs no memory."""

    counts: Counter[str] = field(default_factory=Counter)
    """Reason to number of samples."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Reason to its first messages, of one line each."""

    def add(self, reason: str, message: str) -> None:
        """Count one sample."""
        self.counts[reason] += 1
        named = self.examples.setdefault(reason, [])
        if len(named) < _NAMED:
            named.append(message)

    def merge(self, other: "LeftOut") -> None:
        """Add what another has counted."""
        self.counts.update(other.counts)
        for reason, messages in other.examples.items():
            named = self.examples.setdefault(reason, [])
            named += messages[: _NAMED - len(named)]

    def lines(self) -> list[str]:
        """For people: a line for each reason, the most frequent first, followed by its first messages."""
        return [
            line
            for reason, count in self.counts.most_common()
            for line in (f"{count} left out: {reason}; the first:", *self.examples[reason])
        ]

    def named(self) -> list[str]:
        """The first messages of every reason."""
        return [message for messages in self.examples.values() for message in messages]

    def first(self) -> str:
        """The first message of the most frequent reason; there must be one."""
        ((reason, _),) = self.counts.most_common(1)
        return self.examples[reason][0]

    def to_json(self) -> dict[str, Any]:
        """For ``from_json``."""
        return {"counts": self.counts, "examples": self.examples}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "LeftOut":
        """What ``to_json`` gave."""
        return cls(Counter(values["counts"]), values["examples"])

    def __len__(self) -> int:
        return self.counts.total()
