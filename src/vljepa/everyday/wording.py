"""How a scene is put into words: one of many ways for each style, so that the same scene has many captions.

A style decides each thing once: every word has one synonym in it and every kind of sentence one form. Two scenes in one
style therefore differ in words only where they differ in meaning.
"""

import hashlib
from collections.abc import Sequence

from vljepa.everyday import words
from vljepa.everyday.scene import Clause, Predicate, Scene, Thing
from vljepa.everyday.words import (
    ALONE,
    ATTRIBUTES,
    GARMENTS,
    MOTIONS,
    MOVES,
    NOUNS,
    PLACES,
    POSES,
    RELATIONS,
    STATES,
    VERBS,
    gerund,
    participle,
    third_person,
)

_NUMBERS = ("no", "one", "two", "three", "four", "five")
_SYNONYMS: dict[str, tuple[str, ...]] = {}
for _table in (GARMENTS, PLACES, ALONE, *NOUNS.values(), *ATTRIBUTES.values()):
    _SYNONYMS.update(_table)
_VERBS: dict[str, tuple[str, ...]] = {**ALONE, **MOVES, **POSES}
for _table in VERBS.values():
    _VERBS.update(_table)


def caption(scene: Scene, style: int) -> str:
    """The scene in the words of a style."""
    text = _Wording(style).scene(scene)
    return text[0].upper() + text[1:]


class _Wording:
    def __init__(self, style: int) -> None:
        self._style = style

    def pick(self, what: str, options: Sequence[str]) -> str:
        """One of the options, the same whenever ``what`` is decided in this style."""
        digest = hashlib.blake2b(f"{self._style}/{what}".encode(), digest_size=4).digest()
        return options[int.from_bytes(digest) % len(options)]

    def scene(self, scene: Scene) -> str:
        clauses = list(scene.clauses)
        if self.pick("order", "ab") == "b":
            clauses.reverse()
        if not clauses[0].predicates:
            text = self.listing([self.thing(clause.subject) for clause in clauses])
        elif len(clauses) == 2:
            first, second = (self.clause(clause, whole=True) for clause in clauses)
            form = self.pick("joint", ("{a} while {b}", "{a}, and {b}", "while {b}, {a}", "{a} as {b}", "{a}; {b}",
                                       "{a} and {b}"))  # fmt: skip
            text = form.format(a=first, b=second)
        else:
            text = self.clause(clauses[0], whole=self.pick("whole", "yyn") == "y")
        if scene.place is not None:
            place = self.pick(scene.place, PLACES[scene.place])
            text = self.pick("place", ("{place}, {text}", "{text} {place}", "{text}, {place}")).format(
                place=place, text=text
            )
        return text + self.pick("stop", (".", ".", ""))

    def listing(self, parts: Sequence[str]) -> str:
        a, b = parts
        return self.pick("listing", ("{a} and {b}", "there is {a} and {b}", "{a}, {b}", "a picture of {a} and {b}",
                                     "{a} with {b}", "a photo showing {a} and {b}")).format(a=a, b=b)  # fmt: skip

    def thing(self, thing: Thing, *, bare: bool = False) -> str:
        """A noun phrase: ``two red cars``, ``the cars that are red``."""
        noun = self.pick(thing.noun, NOUNS[thing.kind][thing.noun])
        if thing.number > 1:
            noun = words.plural(noun)
        behind = ""
        if thing.attribute is not None:
            group, name = thing.attribute
            attribute = self.pick(name, ATTRIBUTES[group][name])
            if self.pick("attribute", "pppb") == "p":
                noun = f"{attribute} {noun}"
            else:
                behind = f" that {'is' if thing.number == 1 else 'are'} {attribute}"
        if thing.garment is not None:
            colour, worn = (self.pick(name, _SYNONYMS[name]) for name in thing.garment)
            worn = f"{colour} {words.plural(worn)}" if thing.number > 1 else _article(f"{colour} {worn}")
            behind = " " + self.pick("garment", ("in {}", "wearing {}", "with {} on", "dressed in {}")).format(worn)
        definite = self.pick("article", "aaat") == "t"
        if thing.number > 1:
            noun = f"{'the ' if definite else ''}{_NUMBERS[thing.number]} {noun}"
        else:
            noun = f"the {noun}" if definite else _article(noun)
        return noun + behind

    def clause(self, clause: Clause, *, whole: bool) -> str:
        """A sentence, or a noun phrase where it need not be ``whole``."""
        subject, many = self.thing(clause.subject), clause.subject.number > 1
        predicates = list(clause.predicates)
        if len(predicates) == 2:
            if self.pick("predicates", "ab") == "b":
                predicates.reverse()
            return self._two(subject, many, predicates, whole)
        (predicate,) = predicates
        turned = self.pick("turned", "yn") == "y" and self._turned(subject, predicate, whole)
        if turned:
            return turned
        if not whole:
            form = self.pick("phrase", ("{s} {ing}", "{s} {ing}", "a photo of {s} {ing}", "there is {s} {ing}"))
            return form.format(s=subject, ing=self.ing(predicate))
        return f"{subject} {self.finite(predicate, many)}"

    def _two(self, subject: str, many: bool, predicates: Sequence[Predicate], whole: bool) -> str:
        a, b = predicates
        if not whole:
            return f"{subject} {self.ing(a)} and {self.ing(b)}"
        form = self.pick("two", ("{s} {a} and {b}", "{s} {a} while {bing}", "while {aing}, {s} {b}", "{s} {aing} {b}",
                                 "{s} who {a} {b}", "{s}, {aing}, {b}", "{aing}, {s} {b}"))  # fmt: skip
        return form.format(
            s=subject, a=self.finite(a, many), b=self.finite(b, many), aing=self.ing(a), bing=self.ing(b)
        )

    def _turned(self, subject: str, predicate: Predicate, whole: bool) -> str:
        """The target comes first: passive, or the converse of a relation; empty if there is no such form."""
        if predicate.target is None:
            return ""
        target = self.thing(predicate.target)
        be = "are" if predicate.target.number > 1 else "is"
        if predicate.relation is None:
            assert predicate.verb is not None
            done = participle(self.verb(predicate.verb))
            if not whole:
                return f"{target} being {done} by {subject}"
            return self.pick("passive", ("{t} {be} being {done} by {s}", "{t} {be} {done} by {s}")).format(
                t=target, be=be, done=done, s=subject
            )
        if predicate.verb is not None:
            phrase = self.relation(predicate)
            return f"{phrase} {target}, {subject} {self.ing(predicate, alone=True)}" if not whole else ""
        converse = RELATIONS[predicate.relation].converse
        if converse == "-":
            return ""
        phrase = self.pick(converse, RELATIONS[converse].phrases)
        if whole:
            return f"{target} {be} {phrase} {subject}"
        return self.pick("converse", ("{t} {p} {s}", "there is {t} {p} {s}")).format(t=target, p=phrase, s=subject)

    def verb(self, verb: str) -> str:
        return self.pick(verb, _VERBS[verb])

    def relation(self, predicate: Predicate) -> str:
        assert predicate.relation is not None
        table = MOTIONS if predicate.verb in MOVES else RELATIONS
        return self.pick(predicate.relation, table[predicate.relation].phrases)

    def finite(self, predicate: Predicate, many: bool) -> str:
        be = "are" if many else "is"
        if predicate.verb is None:
            phrase = self.relation(predicate)
            if phrase in STATES and self.pick("tense", "ps") == "s":
                verb = STATES[phrase] if many else third_person(STATES[phrase])
                return f"{verb} {self.ing(predicate).removeprefix(phrase).strip()}"
            return f"{be} {self.ing(predicate)}"
        if self.pick("tense", "ps") == "p":
            return f"{be} {self.ing(predicate)}"
        verb = self.verb(predicate.verb)
        return self._with_target(verb if many else third_person(verb), predicate)

    def ing(self, predicate: Predicate, *, alone: bool = False) -> str:
        head = "" if predicate.verb is None else gerund(self.verb(predicate.verb))
        return head if alone else self._with_target(head, predicate).strip()

    def _with_target(self, head: str, predicate: Predicate) -> str:
        phrase = "" if predicate.relation is None else self.relation(predicate) + " "
        target = "" if predicate.target is None else self.thing(predicate.target)
        return f"{head} {phrase}{target}".strip()


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' and not noun.startswith(('uni', 'one')) else 'a'} {noun}"
