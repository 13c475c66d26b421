"""How often our caption tokenizer cuts as the original does: Stanford's PTBTokenizer, of the COCO caption tools.

    pip download --no-deps pycocoevalcap==1.2 && unzip pycocoevalcap-1.2-py3-none-any.whl 'pycocoevalcap/tokenizer/*'
    python benchmarks/ptb_tokenizer.py pycocoevalcap/tokenizer/stanford-corenlp-3.4.1.jar

Needs Java. Captions are made up here, of two kinds: sentences with what people type into them (names, numbers, clitics,
quotes, brackets, dashes, addresses, foreign letters), and such fragments thrown together without sense. Prints the
share of captions that are cut alike and examples of others; ``--write FILE`` keeps some of them, as the original cut
them, for the test (tests/evaluation/metrics/test_tokenizer.py).
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

from vljepa.evaluation.metrics.tokenizer import DROPPED, tokenize


def _listed(text: str, separator: str) -> list[str]:
    return [part for line in text.splitlines() for part in line.split(separator)]


SUBJECTS = _listed(
    """a man|two women|the boy's dog|an old lady|mr. brown|dr. lee|three 5-year-olds|the chef|people|someone
a black-and-white cat|the dogs'|mrs. o'neil|a girl in a t-shirt|he|she|they|the u.s. team|a d.j.|kids
the o'brien family|a 6-foot-tall man|José|the café's owner|a Coca-Cola truck|john jr.|the 49ers
an x-ray technician|no one|St. Paul""",
    "|",
)
VERBS = _listed(
    """is riding|rides|isn't holding|can't find|cannot lift|holds|won't eat|is gonna cut|wants to|doesn't see
's washing|has been peeling|didn't catch|wanna play with|gotta carry|'ll throw|'d like|'ve got|are re-painting
looks at|shouldn't touch|is slicing/dicing|gimme|lemme see|must've dropped|could've taken|y'all see|ain't using
whatcha doing with|dunno""",
    "|",
)
OBJECTS = _listed(
    """a bike|the ball|5 apples|1,000 people|3.5 lbs of rice|1/2 cup of milk|2 1/2 onions|a 12-inch pizza
the 1990's car|a $5 bill|20% of it|#1 sign|the no. 7 bus|a 4x4|and/or a fork|his/her hat|a PB&J|an iPad|R2-D2
a size-10 shoe|50°f water|a 10'x12' room|a 5'11" man|a 3/4-full glass|two-thirds|a "stop" sign|a 'no' sign
“curly” letters|a 9 mm lens|the 2nd one|a w/ b|A.B.C. blocks|an m&m|a rock 'n' roll band|the '90s poster
a pair of Levi's|chris' hat|a 1080p tv|a 7-up|the U.K. flag|£20|€15|a fill-in-the-blank|the Ph.D.|7:30 a.m. news
5pm train|12:30am bus|9:00pm|10-20 birds|the state-of-the-art oven""",
    "|",
)
PLACES = _listed(
    """on a mat|in the park|at 5th ave.|near st. james|on the t.v.|by the sea (at night)|in front of [a] house
under a tree|at 221b baker st.|in Washington, D.C.|on jan. 5|at http://www.example.com/a?b=1|on www.site.org
via a.b@mail.co.uk|@home|#nofilter|in the 80s|on e. main street|in são paulo|at mcdonald's|in the living-room
by the toys'r'us|vs. the wall|etc.|on a wood/steel bench|with co. cars|at the a.m. show|in room no. 5|in fig. 3
i.e. outside|e.g. inside|in Mt. Vernon""",
    "|",
)
JOINS = [
    " ",
    " ",
    " ",
    " ",
    ", ",
    " - ",
    " -- ",
    "; ",
    ": ",
    " – ",
    "—",
    "... ",
    " … ",
    ",",
    "  ",
    " & ",
    " + ",
    ". ",
    ".",
]
ENDS = [
    "",
    ".",
    ".",
    ".",
    "!",
    "?",
    "!!",
    "?!",
    "...",
    " .",
    ".)",
    "!!!",
    "..",
    " :)",
    " ;-)",
    '"',
    "'",
    ". .",
    "….",
    "\n",
]
FRAGMENTS = _listed(
    """( ) [ ] { } < > " ' ` '' `` " . , ; : ! ? - -- --- / \\ | * ** _ __ ~ ^ = + % $ # @ & &amp; &lt; &gt; &quot; ’ ‘
“ ” – — … • · ½ ¼ ¾ ° € £ ¥ ¢ © ® ™ × é ñ 中文 日本 ü :) :-) ;) :( :D <3 :-/ :P ^_^ !!! ??? ... .. .... :: a-b -a a-
'a a' 's n't 're I'm i'd it's its' can't CANNOT gonna 1 12 1,2 1.5 .5 1. 1/2 1:30 1-2 1st 2ND 10:00am 5p.m.
5'10" 555-1234 (555)123-4567 555-123-4567 1/2/2010 12-25-99 2.0.1 v1.0 a.b a.b.c A. j.k. U.S U.S. u.s.a. p.m
p.m. mr mr. Mr.Smith no.1 vs vs. etc etc. e.g i.e. st. x@y.com http://a.b/c www.a.com a.com img_01.jpg @me #tag
#1 a/b a/b/c w/o c/o 24/7 9/11 and/or a_b a*b a+b a=b a&b AT&T R&B q&a a%b 5% $5 $1.50 5$ US$5 #5 No.5 a,b a;b
a:b a!b a?b word.Word word,word word...word word--word word—word word-word- -word o'clock O'Brien d'oh y'all 'em
'tis 'twas 'til ma'am rock'n'roll 'cause goin' '90s 1990s 1990's 80's dogs' dog's dogs's who'd've shouldn't've
he'll i'LL t-shirt T-Shirts x-ray co-op e-mail pre-1990 mid-20s 20-year-old re-do ex-wife 3-d 4x4 5x7" 8GB 10mm
12oz 1080p 3D 2-for-1 1-on-1 1,000 1,000,000 10,00 1.000,00 -5 +5 ±5 5+5 5-5 5*5 5=5""",
    " ",
)


def make_captions(count: int, seed: int = 0) -> list[str]:
    """Captions, all different; every fourth of fragments alone."""
    rng = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        made[_fragments(rng) if len(made) % 4 == 3 else _sentence(rng)] = None
    return list(made)


def _sentence(rng: random.Random) -> str:
    parts = [rng.choice(SUBJECTS), " ", rng.choice(VERBS), " ", rng.choice(OBJECTS), " ", rng.choice(PLACES)]
    if rng.random() < 0.4:
        parts += [rng.choice(JOINS), rng.choice(OBJECTS + PLACES + SUBJECTS)]
    if rng.random() < 0.2:
        parts.insert(2 * rng.randrange(len(parts) // 2), rng.choice(FRAGMENTS) + " ")
    text = "".join(parts) + rng.choice(ENDS)
    # Clitics that stand for a verb lean on their subject.
    text = text.replace(" '", "'") if rng.random() < 0.7 else text
    return rng.choice([str, str.lower, str.capitalize, str.upper, str.title])(text)


def _fragments(rng: random.Random) -> str:
    return "".join(rng.choice(FRAGMENTS) + rng.choice([" ", " ", " ", ""]) for _ in range(rng.randint(1, 7)))


def original(captions: list[str], jar: Path) -> list[list[str]]:
    """The words that the COCO caption tools count in each caption."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "captions.txt"
        file.write_text("\n".join(caption.replace("\n", " ") for caption in captions), encoding="utf-8")
        command = ["java", "-Dfile.encoding=UTF-8", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer"]
        command += ["-preserveLines", "-lowerCase", str(file)]
        done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    lines = done.stdout.decode().split("\n")[: len(captions)]
    assert len(lines) == len(captions), f"{len(lines)} lines for {len(captions)} captions"
    return [" ".join(word for word in line.rstrip().split(" ") if word not in DROPPED).split() for line in lines]


def main() -> None:
    """Count agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jar", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20, help="captions cut otherwise that are printed")
    parser.add_argument("--write", type=Path, help="file for about 500 of the captions with their words")
    args = parser.parse_args()
    captions = make_captions(args.count, args.seed)
    expected = original(captions, args.jar)
    found = [tokenize(caption) for caption in captions]
    for name, remainders in (("sentences", (0, 1, 2)), ("fragments", (3,))):
        which = [i for i in range(len(captions)) if i % 4 in remainders]
        alike = sum(found[i] == expected[i] for i in which)
        print(f"{name}: {alike} of {len(which)} alike, {alike / len(which):.2%}")
    others = [i for i in range(len(captions)) if found[i] != expected[i]]
    for i in others[: args.show]:
        print(f"{captions[i]!r}\n  original: {' '.join(expected[i])}\n  ours:     {' '.join(found[i])}")
    if args.write:
        # An odd step, for some of both kinds.
        rows = ([captions[i], " ".join(expected[i])] for i in range(0, len(captions), len(captions) // 500 | 1))
        args.write.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
