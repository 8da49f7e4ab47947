"""Letters, white space and characters as the rules of contacts mean them (domain 0.3.6, 0.3.7)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Unicode property White_Space: str.strip() without argument would also take the separators U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

# One letter per kind of character (see _kind); the alternatives are the rules GB3 to GB13 of UAX 29.
_CLUSTER = re.compile(r"cn|[cnk]|(?:rr|p(?:e*zp)*|l*(?:v+|wv*|x)t*|l+|t+|[^cnk])[ezs]*")


def trim(text: str) -> str:
    """The text without Unicode white space at its ends."""
    return text.strip(WHITE_SPACE)


def letters_and(others: str) -> Callable[[str], bool]:
    r"""A rule for texts that consist of letters and these other characters.

    str.isalpha is true for exactly the characters of the general categories L*, that is \p{L}: no table or package needed.
    """
    return lambda text: all(char in others or char.isalpha() for char in text)


def longer_than(text: str, limit: int) -> bool:
    """Whether the text has more than `limit` characters; graphemes are only looked for where code points are too many."""
    return len(text) > limit and graphemes(text) > limit


def graphemes(text: str) -> int:
    """Number of characters as a reader sees them: extended grapheme clusters of UAX 29.

    Left out are prepended signs and Indic conjuncts, whose parts count each; no text that the rules accept has them
    in number.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(1 for _ in _CLUSTER.finditer("".join(map(_kind, text))))


def _kind(char: str) -> str:
    """The Grapheme_Cluster_Break class of a character as one letter.

    c, n: CR and LF; k: control; e: extend; z: zero width joiner; s: spacing mark; r: regional indicator;
    p: pictograph; l, v, t: Hangul jamo; w, x: Hangul syllable without and with a final; o: any other.
    """
    code = ord(char)
    if char in "\r\n":
        return "c" if char == "\r" else "n"
    if code == 0x200D:
        return "z"
    if code == 0x200C or 0xFF9E <= code <= 0xFF9F or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return "e"
    if code in (0x0E33, 0x0EB3):
        return "s"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "r"
    if 0xAC00 <= code <= 0xD7A3:
        return "x" if (code - 0xAC00) % 28 else "w"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "l"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "v"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "t"
    return {"Mn": "e", "Me": "e", "Mc": "s", "So": "p", "Cc": "k", "Cf": "k", "Zl": "k", "Zp": "k"}.get(
        unicodedata.category(char), "o"
    )
