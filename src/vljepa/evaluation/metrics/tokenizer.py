"""Words of a caption as the COCO caption tools count them.

After Stanford's PTBTokenizer with lower case and its list of dropped punctuation, in Python: no Java is needed. It
follows that tokenizer on captions (contractions, hyphens, abbreviations, brackets, numbers); rare web text may be cut
differently.
"""

import re

_DROPPED = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
_CHARACTERS = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "—": " -- ", "–": " -- ", "…": " ... ", "½": "1/2", "¼": "1/4", "¾": "3/4"}
)
# Names that the official tool gives to brackets; lower-cased they escape its list of dropped tokens and so do ours.
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_SPLITS = [
    (re.compile(r"\b(can)(not)\b"), r"\1 \2"),
    (re.compile(r"\b(gon|wan)(na)\b"), r"\1 \2"),
    (re.compile(r"\b(got)(ta)\b"), r"\1 \2"),
    (re.compile(r"\b(y')(all)\b"), r"\1 \2"),
    (re.compile(r"(?<=\w)(n't)\b"), r" \1"),
    (re.compile(r"(?<=\w)('(?:s|m|d|re|ve|ll))\b(?!')"), r" \1"),
    (re.compile(r"(\d:\d\d)([ap]m)\b"), r"\1 \2"),
    (re.compile(r"&amp;"), "&"),
]
_TOKEN = re.compile(
    r"""
    https?://\S+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+            # addresses
    | [@\#][^\W\d]\w*                                      # @user, #tag
    | (?:[a-z]\.){2,}                                      # u.s., e.g.
    | (?:mr|mrs|ms|dr|st|inc|vs|co|jr|sr|prof|etc)\.
    | n't\b | '(?:s|m|d|re|ve|ll|em|til|n'|\d0s)(?!\w)     # clitics and words that begin with an apostrophe
    | y'(?=\s) | [od]'\w+                                  # o'clock
    | \w+(?:[-/.]\w+|(?<=\d)[,:](?=\d)\w+)*                # words; hyphens and slashes inside stay
    | \.\.\. | --+ | [!?]{2,}
    | \S
    """,
    re.VERBOSE,
)


def tokenize(text: str) -> list[str]:
    """Lower-cased words of a caption, punctuation dropped as the COCO caption tools drop it."""
    text = text.translate(_CHARACTERS).lower().replace('"', " ")
    for pattern, replacement in _SPLITS:
        text = pattern.sub(replacement, text)
    tokens = (_BRACKETS.get(token, token) for token in _TOKEN.findall(text))
    return [token for token in tokens if token not in _DROPPED]
