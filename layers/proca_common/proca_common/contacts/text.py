"""Letters, white space and characters as the rules of contacts mean them (domain 0.3.6, 0.3.7)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# Unicode property White_Space: str.strip() without argument would also take the separators U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

# Kinds of characters in UAX 29: c and n: CR and LF, k: control, e: extend, z: zero width joiner, s: spacing mark,
# r: regional indicator, p: pictograph, l, v, t: Hangul jamo, w, x: Hangul syllable without and with a final.
_KIND_OF_CODES = {
    range(0x0D, 0x0E): "c",
    range(0x0A, 0x0B): "n",
    range(0x200D, 0x200E): "z",
    range(0x200C, 0x200D): "e",
    range(0xFF9E, 0xFFA0): "e",
    range(0x1F3FB, 0x1F400): "e",
    range(0xE0020, 0xE0080): "e",
    range(0x0E33, 0x0E34): "s",
    range(0x0EB3, 0x0EB4): "s",
    range(0x1F1E6, 0x1F200): "r",
    range(0x1100, 0x1160): "l",
    range(0xA960, 0xA97D): "l",
    range(0x1160, 0x11A8): "v",
    range(0xD7B0, 0xD7C7): "v",
    range(0x11A8, 0x1200): "t",
    range(0xD7CB, 0xD7FC): "t",
    range(0xAC00, 0xD7A4, 28): "w",
    range(0xAC00, 0xD7A4): "x",
}
_KIND_OF_CATEGORY = {"Mn": "e", "Me": "e", "Mc": "s", "So": "p", "Cc": "k", "Cf": "k", "Zl": "k", "Zp": "k"}
# The alternatives are the rules GB3 to GB13 of UAX 29.
_CLUSTER = re.compile(r"cn|[cnk]|(?:rr|p(?:e*zp)*|l*(?:v+|wv*|x)t*|l+|t+|[^cnk])[ezs]*")


def trim(text: str) -> str:
    """The text without Unicode white space at its ends."""
    return text.strip(WHITE_SPACE)


def letters_and(others: str) -> Callable[[str], bool]:
    r"""A rule for texts that consist of letters and these other characters.

    str.isalpha is true for exactly the general categories L*, that is \p{L}: no table and no package is needed.
    """
    return lambda text: all(char in others or char.isalpha() for char in text)


def longer_than(text: str, limit: int) -> bool:
    """Whether the text has more than `limit` characters; graphemes are only looked for in too many code points."""
    return len(text) > limit and graphemes(text) > limit


def graphemes(text: str) -> int:
    """Number of characters as a reader sees them: extended grapheme clusters of UAX 29.

    Left out are prepended signs, Indic conjuncts and some Burmese vowel signs: the rules accept no text with them.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(1 for _ in _CLUSTER.finditer("".join(map(_kind, text))))


@lru_cache(4096)
def _kind(char: str) -> str:
    """The Grapheme_Cluster_Break class of a character as one letter, `o` for any other."""
    code = ord(char)
    for codes, kind in _KIND_OF_CODES.items():
        if code in codes:
            return kind
    return _KIND_OF_CATEGORY.get(unicodedata.category(char), "o")
