"""Writes src/RetNet.Vulkan/Text/Normalizers/decompositions.txt: what Unicode normalisation (UAX #15) needs to know.

Python's own copy of the Unicode character database is the source. Run by hand: python3 tools/unicode/decompositions.py
"""

import pathlib
import sys
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)  # by arithmetic, not by table
TARGET = pathlib.Path(__file__).parents[2] / "src/RetNet.Vulkan/Text/Normalizers/decompositions.txt"


def decompositions():
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if not parts or code in HANGUL:
            continue
        if parts[0].startswith("<"):
            kind, parts = "~", parts[1:]
        else:
            kind = "=" if unicodedata.normalize("NFC", chr(code)) == chr(code) else "!"
        yield f"{code:04X}{kind}{' '.join(parts)}"


def combining_classes():
    first = last = combining = 0
    for code in range(sys.maxunicode + 2):
        found = unicodedata.combining(chr(code)) if code <= sys.maxunicode else 0
        if found != combining:
            if combining:
                yield f"{first:04X}..{last:04X}:{combining}"
            first, combining = code, found
        last = code


HEADER = f"""\
# Unicode {unicodedata.unidata_version}, written by tools/unicode/decompositions.py.
# X=Y Z: X is canonically Y Z, and Y Z compose to X.  X!Y: they do not.  X~Y: compatibility only.  X..Y:C: combining class C.
"""
TARGET.write_text(HEADER + "\n".join([*decompositions(), *combining_classes()]) + "\n", encoding="ascii")
