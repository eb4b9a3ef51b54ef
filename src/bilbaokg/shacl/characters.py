"""Sets of characters that regular expressions and names speak of: Unicode categories and blocks,
name characters of XML. A set is sorted pairs of code points, both ends included.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Final, TypeAlias

__all__ = [
    "NAME_CHARS",
    "NAME_STARTS",
    "SPACES",
    "Characters",
    "class_body",
    "complement",
    "property_of",
]

Characters: TypeAlias = tuple[tuple[int, int], ...]

_LAST: Final = 0x10FFFF

SPACES: Final[Characters] = ((0x9, 0xA), (0xD, 0xD), (0x20, 0x20))

# Names of XML 1.0, fifth edition, section 2.3, but for the colon.
NAME_STARTS: Final[Characters] = (
    *((0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF)),
    *((0x370, 0x37D), (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF)),
    *((0x3001, 0xD7FF), (0xF900, 0xFDCF), (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF)),
)
NAME_CHARS: Final[Characters] = (
    *((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040)),
    *NAME_STARTS,
)


def class_body(characters: Iterable[tuple[int, int]]) -> str:
    """What stands between the brackets of a Python character class."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in characters)


def complement(characters: Iterable[tuple[int, int]]) -> Characters:
    """All other characters."""
    found, start = [], 0
    for first, last in sorted(characters):
        if first > start:
            found.append((start, first - 1))
        start = last + 1
    return (*found, (start, _LAST)) if start <= _LAST else tuple(found)


def property_of(name: str) -> Characters | None:
    r"""The set of `\p{name}`: a general category, its first letter, or Is and a block's name."""
    if name.startswith("Is"):
        block = _blocks().get(name[2:])
        return (block,) if block else None
    found = [pairs for category, pairs in _categories().items() if category.startswith(name)]
    return tuple(sorted(pair for pairs in found for pair in pairs)) if name and found else None


@cache
@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    """General categories of the Unicode version that Python knows; takes a fifth of a second."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    first = 0
    for category, members in groupby(map(unicodedata.category, map(chr, range(_LAST + 1)))):
        after = first + sum(1 for _ in members)
        found[category].append((first, after - 1))
        first = after
    return dict(found)


@cache
def _blocks() -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    first = 0
    words = _BLOCKS.split()
    for name, last in zip(words[::2], words[1::2], strict=True):
        found[name] = first, int(last, 16)
        first = int(last, 16) + 1
    found.pop("-")
    # Names that XML Schema 1.0 gave them.
    for name, today in _FORMER.items():
        found[name] = found[today]
    return found


_FORMER: Final = {
    "Greek": "GreekandCoptic",
    "CombiningMarksforSymbols": "CombiningDiacriticalMarksforSymbols",
    "PrivateUse": "PrivateUseArea",
}
# Blocks of the Basic Multilingual Plane with their last code point, in their order; "-" is none.
_BLOCKS: Final = """
BasicLatin 7F Latin-1Supplement FF LatinExtended-A 17F LatinExtended-B 24F IPAExtensions 2AF
SpacingModifierLetters 2FF CombiningDiacriticalMarks 36F GreekandCoptic 3FF Cyrillic 4FF
CyrillicSupplement 52F Armenian 58F Hebrew 5FF Arabic 6FF Syriac 74F ArabicSupplement 77F Thaana
7BF NKo 7FF Samaritan 83F Mandaic 85F SyriacSupplement 86F ArabicExtended-B 89F ArabicExtended-A
8FF Devanagari 97F Bengali 9FF Gurmukhi A7F Gujarati AFF Oriya B7F Tamil BFF Telugu C7F Kannada
CFF Malayalam D7F Sinhala DFF Thai E7F Lao EFF Tibetan FFF Myanmar 109F Georgian 10FF HangulJamo
11FF Ethiopic 137F EthiopicSupplement 139F Cherokee 13FF UnifiedCanadianAboriginalSyllabics 167F
Ogham 169F Runic 16FF Tagalog 171F Hanunoo 173F Buhid 175F Tagbanwa 177F Khmer 17FF Mongolian 18AF
UnifiedCanadianAboriginalSyllabicsExtended 18FF Limbu 194F TaiLe 197F NewTaiLue 19DF KhmerSymbols
19FF Buginese 1A1F TaiTham 1AAF CombiningDiacriticalMarksExtended 1AFF Balinese 1B7F Sundanese
1BBF Batak 1BFF Lepcha 1C4F OlChiki 1C7F CyrillicExtended-C 1C8F GeorgianExtended 1CBF
SundaneseSupplement 1CCF VedicExtensions 1CFF PhoneticExtensions 1D7F PhoneticExtensionsSupplement
1DBF CombiningDiacriticalMarksSupplement 1DFF LatinExtendedAdditional 1EFF GreekExtended 1FFF
GeneralPunctuation 206F SuperscriptsandSubscripts 209F CurrencySymbols 20CF
CombiningDiacriticalMarksforSymbols 20FF LetterlikeSymbols 214F NumberForms 218F Arrows 21FF
MathematicalOperators 22FF MiscellaneousTechnical 23FF ControlPictures 243F
OpticalCharacterRecognition 245F EnclosedAlphanumerics 24FF BoxDrawing 257F BlockElements 259F
GeometricShapes 25FF MiscellaneousSymbols 26FF Dingbats 27BF MiscellaneousMathematicalSymbols-A
27EF SupplementalArrows-A 27FF BraillePatterns 28FF SupplementalArrows-B 297F
MiscellaneousMathematicalSymbols-B 29FF SupplementalMathematicalOperators 2AFF
MiscellaneousSymbolsandArrows 2BFF Glagolitic 2C5F LatinExtended-C 2C7F Coptic 2CFF
GeorgianSupplement 2D2F Tifinagh 2D7F EthiopicExtended 2DDF CyrillicExtended-A 2DFF
SupplementalPunctuation 2E7F CJKRadicalsSupplement 2EFF KangxiRadicals 2FDF - 2FEF
IdeographicDescriptionCharacters 2FFF CJKSymbolsandPunctuation 303F Hiragana 309F Katakana 30FF
Bopomofo 312F HangulCompatibilityJamo 318F Kanbun 319F BopomofoExtended 31BF CJKStrokes 31EF
KatakanaPhoneticExtensions 31FF EnclosedCJKLettersandMonths 32FF CJKCompatibility 33FF
CJKUnifiedIdeographsExtensionA 4DBF YijingHexagramSymbols 4DFF CJKUnifiedIdeographs 9FFF
YiSyllables A48F YiRadicals A4CF Lisu A4FF Vai A63F CyrillicExtended-B A69F Bamum A6FF
ModifierToneLetters A71F LatinExtended-D A7FF SylotiNagri A82F CommonIndicNumberForms A83F
Phags-pa A87F Saurashtra A8DF DevanagariExtended A8FF KayahLi A92F Rejang A95F
HangulJamoExtended-A A97F Javanese A9DF MyanmarExtended-B A9FF Cham AA5F MyanmarExtended-A AA7F
TaiViet AADF MeeteiMayekExtensions AAFF EthiopicExtended-A AB2F LatinExtended-E AB6F
CherokeeSupplement ABBF MeeteiMayek ABFF HangulSyllables D7AF HangulJamoExtended-B D7FF
HighSurrogates DB7F HighPrivateUseSurrogates DBFF LowSurrogates DFFF PrivateUseArea F8FF
CJKCompatibilityIdeographs FAFF AlphabeticPresentationForms FB4F ArabicPresentationForms-A FDFF
VariationSelectors FE0F VerticalForms FE1F CombiningHalfMarks FE2F CJKCompatibilityForms FE4F
SmallFormVariants FE6F ArabicPresentationForms-B FEFF HalfwidthandFullwidthForms FFEF Specials
FFFF
"""
