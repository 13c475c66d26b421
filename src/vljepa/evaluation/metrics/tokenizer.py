"""Words of a caption as the COCO caption tools count them.

Those call Stanford's PTBTokenizer with lower case and drop a list of punctuation. This follows what that tokenizer was
observed to do (version 3.4.1), without Java: at every place the longest of the patterns below is a word.
``benchmarks/ptb_tokenizer.py`` counts how often the two agree; docs/benchmarks.md has the figures.
"""

import re
import unicodedata
from functools import lru_cache

DROPPED = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What the COCO caption tools leave out. Lower-cased brackets are not in it: they stay."""

_NAMED = {
    **dict.fromkeys('"“”«»', "''"),
    **dict.fromkeys("'‘’‛‹›", "'"),
    **dict.fromkeys("–—―", "--"),
    **{"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"},
    **{"£": "#", "€": "$", "¤": "$", "¢": "cents", "…": "..."},
    **{"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"},
    **{"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "''", "&nbsp;": ""},
}
"""Characters and entities that are written in another way."""
_BRACKETS = str.maketrans({sign: _NAMED[sign] for sign in "()"})
_IN_TWO = {"cannot": 3, "gonna": 3, "gotta": 3, "wanna": 3, "gimme": 3, "lemme": 3}
"""Words that are two, and the length of the first."""
_ABBREVIATIONS = (
    r"adj|adm|adv|al|ala|alex|apr|ariz|assn|assoc|asst|atty|attys|aug|ave|bancorp|bhd|"
    r"bldg|blvd|brig|bros|calif|capt|cf|cie|cmdr|co|col|colo|comdr|conn|corp|cos|cpl|ct|"
    r"dak|dec|dept|det|dr|drs|elec|ens|esq|ed\.d|est|etc|ext|feb|fla|fri|ft|ga|gen|gov|"
    r"govs|hon|inc|ind|insp|intl|invt|jan|jos|jr|jul|jun|kan|kans|ky|lieut|lt|ltd|maj|"
    r"mar|md|messrs|mich|minn|mlle|mme|mo|mon|mont|mr|mrs|ms|mt|natl|neb|nev|nov|oct|"
    r"okla|penn|pfc|ph\.d|ph|plc|pres|prof|profs|pvt|rd|rep|reps|rev|rt|sen|sens|sep|"
    r"sept|seq|sfc|sgt|spc|sq|sr|st|ste|supt|supts|sys|tel|tenn|thu|thurs|treas|tue|"
    r"tues|univ|va|vs|vt|wed|wis|wisc|wm|wyo"
)
_CAPITAL_ABBREVIATIONS = (
    "A(?:rk|RK|z|Z)|D(?:el|EL)|I(?:ll|LL)|L[aA]|M(?:ass|ASS|iss|ISS)|O(?:re|RE)|P[aA]|T(?:ex|EX)|W(?:ash|ASH)"
)
"""Words of their own unless they begin with a capital."""
_NUMBER_ABBREVIATIONS = "art|ca|figs?|nos?|op|pp|prop"
"""Abbreviations only before a number."""

_BEGINNINGS = (
    r"A|About|According|Additionally|After|An|As|At|But|Earlier|He|Her|Here|However|If|In|"
    r"It|Last|Many|More|Now|Once|One|Other|Our|She|Since|So|Some|Such|That|The|Their|"
    r"Then|There|These|They|This|We|What|When|While|Yet|You|ABOUT|ACCORDING|ADDITIONALLY|"
    r"AFTER|AN|AS|AT|BUT|EARLIER|HE|HER|HERE|HOWEVER|IF|IN|IT|LAST|MANY|MORE|NOW|ONCE|"
    r"ONE|OTHER|OUR|SHE|SINCE|SO|SOME|SUCH|THAT|THE|THEIR|THEN|THERE|THESE|THEY|THIS|WE|"
    r"WHAT|WHEN|WHILE|YET|YOU"
)
"""Words that begin a sentence after a single letter and a point: the point ends the one before."""


def _letters() -> str:
    """Letters, and the marks that combine with them, as the inside of a character class."""
    marks = (chr(code) for code in range(0x300, 0x1000) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
    return "a-zA-Z" + "".join(
        sorted({chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code))[0] == "L"} | set(marks))
    )


_L = _letters()
_A, _N, _Q = f"[{_L}]", rf"[{_L}\d]", "['’]"
"""A letter; a letter or digit; an apostrophe."""
_WORD = rf"{_N}+(?:[-_‐‑]{_N}+)*"
_DOTTED = rf"{_A}{_N}*(?:[.!?]{_A}{_N}*)+"
_ACRONYM = r"[a-zA-Z](?:\.[a-zA-Z])+\."
_INITIAL = rf"[a-zA-Z]\.(?!\s+(?:{_BEGINNINGS})\s)"
_ABBREVIATION = rf"(?:(?i:{_ABBREVIATIONS})|{_CAPITAL_ABBREVIATIONS})\."
_NUMBER_ABBREVIATION = rf"(?i:{_NUMBER_ABBREVIATIONS})\.(?=\s*\d)"
_NUMBER = r"(?:\d*(?:[.,:]\d+)+|\d+)"
_ENDS = r"""[^\s"<>|.!?(){},-]"""
_PATH = rf"""(?:/[^\s"<>|()]+{_ENDS})?"""
_SIGN = r"[!-/:-@[-`{-~\xa1-\xbf×÷‖-⁄⁰-⁾₀-₎₤€℀-⅞←-⯿、。〒・！-／：-＠［-｀｛-･￠-￦]"
"""What is kept of all other characters; emoji, controls and rare signs are lost."""
_CLITIC = rf"{_Q}(?i:s|m|d|re|ve|ll|n)(?![a-zA-Z])"

_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        # Before a clitic a word ends, though with it another pattern would be as long.
        rf"({_A}+)[nN]{_Q}[tT]",
        rf"({_WORD}){_CLITIC}",
        rf"([yY]{_Q}){_A}+",
        _WORD,
        rf"[nN]{_Q}[tT](?!{_A})",
        _CLITIC,
        rf"{_N}+\.(?=[,;:])",
        rf"[-+]?{_NUMBER}",
        rf"(?:{_NUMBER}|{_INITIAL}|{_ACRONYM}|{_ABBREVIATION}|(?i:no|nos)\.)(?:-{_N}+)+",
        rf"{_N}+(?:[.,]{_N}+)+(?:-{_N}+)+",
        _DOTTED,
        _INITIAL,
        _ACRONYM,
        _ABBREVIATION,
        _NUMBER_ABBREVIATION,
        r"[a-zA-Z\d]+(?:-[a-zA-Z]+)*(?:/[a-zA-Z\d]+(?:-[a-zA-Z]+)*){1,2}",
        r"[A-Z]+(?:[&+][A-Z]+)+",
        r"\d{1,4}[- ]\d{1,4}/\d{1,4}",
        r"\(\d{2,3}\)[- ]?\d{3,4}[- ]?\d{3,5}",
        # Addresses.
        rf"""(?i:https?)://[^\s"<>|(){{}}]+{_ENDS}""",
        rf"""(?i:www)\.(?:[^\s"<>|.!?(){{}},]+\.)+[a-zA-Z]{{2,4}}{_PATH}""",
        rf"(?:{_N}+\.)+(?i:com|net|org|edu){_PATH}",
        r"""<?[a-zA-Z0-9][^\s"<>|()]*@(?:[^\s"<>|().]+\.)*[^\s"<>|().]+>?""",
        r"@[a-zA-Z_]\w*",
        rf"#{_A}+",
        # Words with an apostrophe inside, and such as begin or end with one.
        rf"[A-HJ-XZdlno]{_Q}{_A}{{2}}{_N}*(?:-{_N}+)*",
        rf"{_A}*[aeiouyAEIOUY]{_Q}[aeiouA-Z]{_A}*",
        rf"(?i:nor{_Q}easter|e{_Q}er|c'(?:mon|est)|s{_Q}mores|ev{_Q}ry|li{_Q}l|nat{_Q}l|cap{_Q}n|o{_Q}o)",
        rf"(?i:dunkin|somethin|ol|[dlj]){_Q}",
        rf"{_Q}(?i:em|till?|cause)",
        rf"{_Q}[nN](?:{_Q}|(?!{_A}))",
        r"('[tT])(?i:was|is)",
        rf"{_Q}(?:[2-9]0[sS]|\d\d(?=\s|$))",
        # Signs.
        r"[A-Z]+\$",
        rf"[<>]?[:;=]['`]?[-o*']?[()DPdpO\\{{@|\[\]](?!{_N})",
        r"[-^x=~<>']_[-^x=~<>']",
        r"<[a-zA-Z][^>\s]*(?:\s[^>]*)?>|</[a-zA-Z][^>\s]*>|<[!?][a-zA-Z-][^>]*>",
        r"&(?:(?i:amp|lt|gt|nbsp)|quot|#\d+);",
        r"[!?]{2,}|\*{2,}|#{2,}|@{2,}|_{2,}|-{2,}|\.{3,5}|``|''",
        _SIGN,
    )
]


_PLAIN = re.compile(rf"{_CLITIC}|n{_Q}t")
"""Clitics, whose apostrophe is always written straight."""


def tokenize(text: str) -> list[str]:
    """Lower-cased words of a caption, punctuation dropped as the COCO caption tools drop it."""
    return list(_cut(text))


# Sweeps say the same few captions again and again.
@lru_cache(maxsize=100_000)
def _cut(text: str) -> tuple[str, ...]:
    # Soft hyphens are seen by nobody.
    text = text.replace("\xad", "").replace("&apos;", "'")
    tokens: list[str] = []
    at = 0
    while at < len(text):
        matches = [found for pattern in _PATTERNS if (found := pattern.match(text, at))]
        if matches:
            # The first of the longest. What stands outside the group is looked at and not taken.
            end = (longest := max(matches, key=re.Match.end)).end(longest.lastindex or 0)
            tokens += _written(text[at:end])
            at = end
        else:
            at += 1
    # What is kept with a blank inside is counted as several words.
    return tuple(word for token in tokens if token not in DROPPED for word in token.split())


def _written(token: str) -> list[str]:
    """A token as it is counted: one word or two."""
    low = token.lower()
    if low in _NAMED:
        return [_NAMED[low]]
    if token.startswith(("--", "...")) and len(token) < 5 + (token[0] == "."):
        # Up to four hyphens are a dash.
        return [token[:3].replace("---", "--")]
    if _PLAIN.fullmatch(low):
        return [low.replace("’", "'")]
    if low in _IN_TWO:
        return [low[: _IN_TWO[low]], low[_IN_TWO[low] :]]
    return [low.translate(_BRACKETS)]
