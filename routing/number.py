"""Fax numbers: as people and machines write them in, E.164 out. The only file that knows phonenumbers.

A sender's own number (TSI) is typed by the sender: good for a hint, never a proof of identity.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import phonenumbers

_LONGEST = 80
_MOST_FOUND = 200
_FEWEST_DIGITS = 8
_DASHES = re.compile("[‐‑‒–—―−﹘﹣⁃─━ー一~〜∼ｰ]")
# RFC 3192 section 2: "FAX=" with a global number, then qualifiers such as /T33S=.
_PREFIX = re.compile(
    r"^[^\w+(]*(?:(?:fax|telephone|tel|phone|facsimile|ファクシミリ|ファックス|ファクス|電話|番号|代表|直通|no)[\s.:;=/・]*)+",
    re.I,
)
_QUALIFIER = re.compile(r"/(?:\w+=.*|\d{1,4})$")
_SUFFIX = re.compile(
    r"[\s,;(]*(?:内線?|ext\.?|x|代表?|直通?)\s*[:)]?\s*[\d\s-]{0,8}\)?\s*$|\((?:代表?|直通?|fax|tel)\)", re.I
)
_INSIDE = re.compile(
    r"(?<![\dA-Za-z+-])(?:\+\s?|\()?[08]\d{0,5}[\d\-() .]{6,18}\d(?![\d-])|\+\d[\d\-() .]{7,20}\d(?!\d)"
)
_WRITTEN = re.compile(r"\+?[\d\-(). /]+")


@dataclass(frozen=True, slots=True)
class FaxNumber:
    """A number that can be called. Equal when the number is, however it was written."""

    e164: str
    """ITU-T E.164 with its plus: ``+81353881396``."""
    printed: str = field(default="", compare=False)
    """As it stood in the source."""

    def __str__(self) -> str:
        return self.e164


def parse(text: str, region: str = "JP") -> FaxNumber | None:
    """The number that ``text`` is, or None: withheld (非通知, anonymous), a name, or a number without area code.

    ``region`` (ISO 3166) is the country of numbers without a country code. Texts of more than 80 characters are no
    number.
    """
    if len(text) > _LONGEST:
        return None
    bare = _bare(text)
    if not _WRITTEN.fullmatch(bare):
        return None
    e164 = _e164(_international(bare, region), region)
    return FaxNumber(e164, text.strip()) if e164 else None


def find(text: str) -> tuple[FaxNumber, ...]:
    """The numbers inside running text in their order, each once, at most 200; only valid ones with their area code."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    found: dict[str, FaxNumber] = {}
    at = 0
    while len(found) < _MOST_FOUND and (match := _INSIDE.search(plain, at)):
        number = _longest(match.group())
        at = match.end() if number is None else match.start() + len(number.printed)
        if number is not None:
            found.setdefault(number.e164, number)
    return tuple(found.values())


def written(e164: str) -> str:
    """The number as people in Japan write it: ``03-5388-1396``; a foreign one with its plus. Unparsed text as it is."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if number.country_code == 81 else form.INTERNATIONAL)


def _longest(run: str) -> FaxNumber | None:
    """The number at the beginning of a run of digits and separators; what follows it after a space is left off."""
    while sum(map(str.isdigit, run)) >= _FEWEST_DIGITS:
        number = parse(run)
        if number is not None:
            return number
        run = run.rpartition(" ")[0].rstrip()
    return None


def _bare(text: str) -> str:
    """Digits and separators alone: labels before and extensions behind are taken off."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip()
    plain = _PREFIX.sub("", plain, count=1)
    plain = _QUALIFIER.sub("", plain.strip("'\""))
    plain = _SUFFIX.sub("", plain)
    return plain.replace("[", "(").replace("]", ")").strip()


def _international(bare: str, region: str) -> str:
    """``+`` and digits where a country code is written in any of its ways, else the digits with their trunk zero."""
    digits = re.sub(r"\D", "", bare.replace("(0)", ""))  # +81 (0)3-... writes the trunk zero that must not be dialled
    if bare.startswith("+"):
        return "+" + digits
    if region != "JP":
        return digits
    for dialled in ("010", "00"):  # how Japan, and how most of the world dial abroad
        if digits.startswith(dialled + "81"):
            return "+" + digits.removeprefix(dialled)
    if digits.startswith("81") and len(digits) in (11, 12):
        return "+" + digits
    return digits if digits.startswith("0") else ""


def _e164(dialled: str, region: str) -> str | None:
    if not dialled:
        return None
    try:
        number = phonenumbers.parse(dialled, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
