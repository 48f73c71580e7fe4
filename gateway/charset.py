"""Japanese text out of mail bytes: bodies, headers, file names, whatever charset they claim or hide.

Fax machines write ISO-2022-JP with characters it does not have, Shift_JIS without saying so, encoded words inside
quoted file names, and cut all of them in the middle of a character. Everything here takes bytes (or the header text
Python's ``email`` keeps, bytes smuggled in as surrogates) and gives readable text; nothing raises for content and all
work is linear in the input, which is cut at the stated limits.
"""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_HEADER = 32_768
"""Bytes of one header field that are decoded; RFC 5322 2.1.1 knows 998 a line, real fields stay below 8 KB."""
MAX_PARAMETERS = 100
"""Parameters of one field that are looked at (a real Content-Type has under ten)."""
_NAMED = ("filename", "name")  # the parameters that hold a text for people
_SAMPLE = 8192  # bytes looked at to guess a charset

# Names machines write, and the codec that reads them. The Microsoft variants of ISO-2022-JP have no Python codec.
_NAMES = {
    "sjis": "shift_jis",
    "shiftjis": "shift_jis",
    "xsjis": "cp932",
    "windows31j": "cp932",
    "cswindows31j": "cp932",
    "mskanji": "cp932",
    "ms932": "cp932",
    "sjiswin": "cp932",
    "xmscp932": "cp932",
    "eucjp": "euc_jp",
    "xeucjp": "euc_jp",
    "xeuc": "euc_jp",
    "eucjpms": "euc_jp",
    "eucjpwin": "euc_jp",
    "cp51932": "euc_jp",
    "iso2022jpms": "iso2022_jp",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "cp50222": "iso2022_jp",
    "jis": "iso2022_jp",
    "utf8mb4": "utf-8",
    "unicode11utf8": "utf-8",
    "unicode11utf7": "utf-7",
}
# Codecs a mail may ask for. Python also has ones that are no charset (punycode, unicode_escape): those stay out.
_ALLOWED = re.compile(
    r"ascii|utf-?_?(?:7|8|16|32)(?:[-_](?:le|be|sig))?|iso8859-\d+|cp12\d\d|cp932|cp949|shift_jis\w*|euc_\w+|euc-\w+|"
    r"iso2022_\w+|gb2312|gbk|gb18030|hz|big5\w*|koi8-[rut]"
)
_LATIN = ("ascii", "iso8859-1", "iso8859-15", "cp1252")  # what a machine claims when it knows no better
_ESCAPE = re.compile(rb"\x1b(\$\([A-Z@]|\$[@AB]|\([A-Z])")
# RFC 2047 section 2; RFC 2231 section 5 adds the language. A word that the machine cut short has no closing "?=".
_WORD = re.compile(rb"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,40})?\?([BbQq])\?([^?]*)(?:\?=|\Z)")
# Half-width kana as words have them: no small kana first, voice marks only behind what can be voiced.
_KANA_WORD = re.compile(r"(?:[^ｦ-ﾟ｡-･]|[ｱ-ﾝｦ](?:(?<=[ｳｶ-ﾄﾊ-ﾎ])ﾞ|(?<=[ﾊ-ﾎ])ﾟ)?[ｧ-ｯ]{0,2}ｰ?|･)*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def codec_of(name: str | None) -> str | None:
    """Python's codec for a charset as a mail names it, None when it is unknown or no charset."""
    text = (name or "").strip().strip("\"'").lower()
    if not text or not re.fullmatch(r"[a-z0-9._:+\- ]{1,40}", text):
        return None
    known = _NAMES.get(re.sub(r"[^a-z0-9]", "", text))
    try:
        codec = codecs.lookup(known or text.replace(" ", "-")).name
    except (LookupError, ValueError):
        return None
    return codec if _ALLOWED.fullmatch(codec) else None


def decode(data: bytes, charset: str | None = None) -> str:
    """Text of ``data``; ``charset`` is what the mail claims and is believed as far as the bytes bear it out."""
    codec = codec_of(charset)
    if b"\x1b$" in data or b"\x1b(" in data:  # ISO 2022 escapes tell more than any label
        return _jis(data)
    if codec in _LATIN and not data.isascii():
        return _guess(data, otherwise="cp1252")
    if codec is not None:
        try:
            return data.decode(codec)
        except UnicodeError:
            if codec == "shift_jis":
                return _either(data, ("cp932",)) or _guess(data)
            if codec.startswith("euc"):
                return _euc(data) or _guess(data)
    return _guess(data)


def header(raw: str | bytes) -> str:
    """A header field's value as a person would read it: unfolded, RFC 2047 words and raw 8-bit text decoded.

    Words that stand next to each other are joined as bytes before decoding, because machines cut them inside a
    character (RFC 2047 section 5 forbids it; they do it all the same).
    """
    data = _unfold(_raw(raw))
    pieces: list[str] = []
    for run, is_jis in _jis_runs(data):
        pieces.append(_jis(run) if is_jis else _words(run))
    text = _CONTROL.sub("", "".join(pieces))
    return re.sub(r"[ \t\n]+", " ", text).strip()


def parameters(raw: str | bytes) -> tuple[str, dict[str, str]]:
    """A structured field (Content-Type, Content-Disposition): its lower-case value and its decoded parameters.

    Reads RFC 2231 continuations joined as bytes (machines cut them inside an escape run), RFC 2047 words inside quoted
    values (forbidden, common), raw Shift_JIS and EUC-JP. The bytes are turned into text before quotes are looked at,
    since 0x5C and 0x22 are parts of characters in Shift_JIS and ISO-2022-JP.
    """
    data = _unfold(_raw(raw))
    text = data.decode("ascii") if data.isascii() and b"\x1b" not in data else decode(data)
    value, _, rest = text.partition(";")
    plain: dict[str, str] = {}
    extended: dict[str, list[_Section]] = {}
    for name, content in _pairs(rest):
        section = _section(name, content)
        if section is None:
            plain.setdefault(name, content)
        else:
            extended.setdefault(section.name, []).append(section)
    result = {name: _plain_value(content) if name in _NAMED else content for name, content in plain.items()}
    result.update({name: _joined(sections) for name, sections in extended.items()})
    kind = re.match(r"\s*([^\s/(]*\s*(?:/\s*[^\s(]*)?)", value)
    return re.sub(r"\s+", "", kind[1] if kind else "").lower(), result


def file_name(*fields: tuple[str, dict[str, str]]) -> str:
    """The attachment's name from ``parameters`` of Content-Disposition and Content-Type; no folders, no controls."""
    for _, found in fields:
        for key in _NAMED:
            name = found.get(key, "")
            name = _CONTROL.sub("", name).replace("\n", "").replace("\t", " ").strip().strip('"')
            name = re.split(r"[/\\]", name)[-1].strip()
            if name:
                return name[:255]
    return ""


# ---------------------------------------------------------------------------------------------------- charsets


def _raw(value: str | bytes) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return value[:MAX_HEADER]


def _unfold(data: bytes) -> bytes:
    # RFC 5322 2.2.3: only the line break goes, the white space stays. Encoded words lose it later.
    return re.sub(rb"\r\n|\r|\n", b"", data).strip(b" \t")


def _either(data: bytes, codecs_in_order: Iterable[str]) -> str | None:
    for codec in codecs_in_order:
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    return None


def _guess(data: bytes, otherwise: str | None = None) -> str:
    """Undeclared or wrongly declared bytes: UTF-8 when they are valid UTF-8, else the likelier of two encodings."""
    strict = _either(data, ("ascii", "utf-8"))
    if strict is not None:
        return strict
    sample = data[:_SAMPLE]
    found = {
        "cp932": _score(sample.decode("cp932", "replace"), sample),
        "euc": _score(_euc(sample, "replace") or "", sample),
        "utf-8": _score(sample.decode("utf-8", "replace"), sample),
    }
    best = max(found, key=lambda name: found[name])
    if otherwise and found[best] < 0.35:
        return data.decode(otherwise, "replace")
    if best == "euc":
        return _euc(data, "replace") or ""
    return data.decode(best, "replace")


def _score(text: str, data: bytes) -> float:
    """How Japanese ``text`` looks, for each byte above 0x7F: full-width text 0.5 and more, wrong guesses below."""
    high = sum(byte > 0x7F for byte in data) or 1
    halfwidth = sum("\uff61" <= char <= "\uff9f" for char in text)
    other = [char for char in text if char > "\x7f" and not "\uff61" <= char <= "\uff9f"]
    total = sum(_weight(char) for char in other)
    # Half-width kana alone are a name; between kanji they are the mark of EUC-JP read as Shift_JIS.
    total += halfwidth * (-0.4 if other else _kana_weight(text))
    return total / high


def _kana_weight(text: str) -> float:
    # 発生届 in EUC-JP is ﾈｯﾀｸﾆﾏ in Shift_JIS: kana win only with a mark that kanji would hardly give by chance.
    if not _KANA_WORD.fullmatch(text):
        return 0.3
    return 0.9 if re.search("[ﾞﾟｰ]|ﾌｧ|ｯｸ", text) else 0.6


def _weight(char: str) -> float:
    if char == "\ufffd" or "\ue000" <= char <= "\uf8ff":
        return -2.0
    if "\u3040" <= char <= "\u30ff" or "\uff01" <= char <= "\uff5e" or "\u3000" <= char <= "\u3030":
        return 2.0
    if "\u4e00" <= char <= "\u9fff":
        encoded = char.encode("euc_jp", "ignore")
        return 1.5 if encoded[:1] and encoded[0] < 0xD0 and len(encoded) == 2 else 0.6  # level 1 | level 2
    return 0.3


def _euc(data: bytes, errors: str = "strict") -> str | None:
    """EUC-JP with the vendor rows that Python's codec refuses (NEC row 13: ① ㈱ №)."""
    strict = _either(data, ("euc_jp",))
    if strict is not None:
        return strict
    out: list[str] = []
    at = 0
    while at < len(data):
        step, char = _euc_character(data[at : at + 3])
        if char is None:
            if errors == "strict":
                return None
            char = "\ufffd"
        out.append(char)
        at += step
    return "".join(out)


def _euc_character(three: bytes) -> tuple[int, str | None]:
    first = three[0]
    if first < 0x80:
        return 1, chr(first)
    length = 3 if first == 0x8F else 2
    piece = three[:length]
    if len(piece) < length or min(piece[1:]) < 0xA1:
        return 1, None
    text = _either(piece, ("euc_jp",))
    if text is None and length == 2 and first >= 0xA1:
        text = _vendor(first & 0x7F, piece[1] & 0x7F)
    return length, text


def _vendor(row: int, cell: int) -> str | None:
    """JIS X 0208 position with its vendor extensions, through the Shift_JIS form that cp932 knows."""
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return None
    lead = ((row + 1) >> 1) + (0x70 if row < 0x5F else 0xB0)
    trail = cell + (0x7E if row % 2 == 0 else 0x20 if cell >= 0x60 else 0x1F)
    return _either(bytes((lead, trail)), ("cp932",))


def _jis(data: bytes) -> str:
    """ISO-2022-JP and its kin: Python's codecs when they can, else run by run with the vendor rows."""
    strict = _either(data, ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"))
    if strict is not None:
        return strict
    out: list[str] = []
    for mode, run in _modes(data):
        out.append(_jis_run(mode, run))
    return "".join(out)


def _modes(data: bytes) -> list[tuple[bytes, bytes]]:
    runs: list[tuple[bytes, bytes]] = []
    mode, start = b"(B", 0
    for found in _ESCAPE.finditer(data):
        runs.append((mode, data[start : found.start()]))
        mode, start = found.group(1), found.end()
    runs.append((mode, data[start:]))
    return runs


def _jis_run(mode: bytes, run: bytes) -> str:
    if not run:
        return ""
    if mode == b"(I":  # half-width kana in seven bits
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in run).decode("cp932", "replace")
    if not mode.startswith(b"$"):
        return _guess(run)
    head, newline, rest = run.partition(b"\n")  # RFC 1468: a line ends in ASCII
    out: list[str] = []
    pending = -1
    for byte in head:
        if byte < 0x21:  # a fold in the middle of a run
            continue
        if pending < 0:
            pending = byte & 0x7F
        else:
            out.append(_two_bytes(mode, pending, byte & 0x7F))
            pending = -1
    if pending >= 0:
        out.append("\ufffd")
    return "".join(out) + newline.decode("ascii") + _guess(rest)


def _two_bytes(mode: bytes, row: int, cell: int) -> str:
    pair = bytes((row | 0x80, cell | 0x80))
    if mode in (b"$@", b"$B"):
        return _either(pair, ("euc_jp",)) or _vendor(row, cell) or "\ufffd"
    if mode == b"$(D":  # JIS X 0212
        return _either(b"\x8f" + pair, ("euc_jp",)) or "\ufffd"
    if mode in (b"$(O", b"$(Q"):  # JIS X 0213 plane 1
        return _either(pair, ("euc_jis_2004",)) or "\ufffd"
    codec = {b"$A": "gb2312", b"$(C": "euc_kr"}.get(mode)
    return (_either(pair, (codec,)) if codec else None) or "\ufffd"


# ---------------------------------------------------------------------------------------------- encoded words


def _jis_runs(data: bytes) -> list[tuple[bytes, bool]]:
    """Raw ISO-2022-JP runs apart from the rest: ``=?`` inside them is a kanji, not an encoded word."""
    runs: list[tuple[bytes, bool]] = []
    at = 0
    for found in re.finditer(rb"\x1b\$\(?[A-Z@].*?(?:\x1b\([BJ]|\Z)", data, re.DOTALL):
        runs.append((data[at : found.start()], False))
        runs.append((found.group(), True))
        at = found.end()
    runs.append((data[at:], False))
    return runs


@dataclass(frozen=True, slots=True)
class _Word:
    charset: str
    encoding: bytes
    text: bytes


def _words(data: bytes) -> str:
    out: list[str] = []
    waiting: list[_Word] = []
    at = 0
    for found in _WORD.finditer(data):
        between = data[at : found.start()]
        word = _Word(found[1].decode("ascii", "replace").lower(), found[2].upper(), found[3])
        if between.strip():
            out += [_flush(waiting), decode(between)]
            waiting = []
        elif not waiting:
            out.append(between.decode("ascii", "replace"))
        if waiting and (waiting[-1].charset, waiting[-1].encoding) != (word.charset, word.encoding):
            out.append(_flush(waiting))
            waiting = []
        waiting.append(word)
        at = found.end()
    out += [_flush(waiting), decode(data[at:])]
    return "".join(out)


def _flush(words: list[_Word]) -> str:
    if not words:
        return ""
    charset = words[0].charset
    if words[0].encoding == b"B":
        parts = [_base64(text) for text in _whole_quads([word.text for word in words])]
    else:
        parts = [quopri.decodestring(word.text.replace(b" ", b"_"), header=True) for word in words]
    text = decode(b"".join(parts), charset)
    if "\ufffd" in text:  # each word may be whole in itself (a stateful charset)
        apart = "".join(decode(part, charset) for part in parts)
        if "\ufffd" not in apart:
            return apart
    return text


def _whole_quads(texts: list[bytes]) -> list[bytes]:
    """Base64 cut between two words in the middle of a group of four is put together again."""
    out: list[bytes] = []
    for text in texts:
        clean = re.sub(rb"[^A-Za-z0-9+/=]", b"", text)
        if out and not out[-1].endswith(b"=") and len(out[-1]) % 4:
            out[-1] += clean
        else:
            out.append(clean)
    return out


def _base64(text: bytes) -> bytes:
    text = text.split(b"=")[0]
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


# ------------------------------------------------------------------------------------------------- parameters


@dataclass(frozen=True, slots=True)
class _Section:
    """One ``name*0*=`` piece of RFC 2231 section 3 and 4."""

    name: str
    number: int
    encoded: bool
    text: str


# Between them a form that is none of RFC 2231's: charset'language'"value".
_PAIR = re.compile(
    r"[;\s]*([^=;\s\"]{1,80})\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[\w.:-]{1,40}'[\w-]{0,20}'\"[^;\"]*\"?|[^;\"]*)",
    re.DOTALL,
)


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    at = 0
    while len(pairs) < MAX_PARAMETERS:
        found = _PAIR.match(text, at)
        if found is None:
            at = text.find(";", at) + 1
            if at == 0:
                break
            continue
        value = found[2].strip()
        if value.startswith('"'):
            value = re.sub(r"\\([\"\\])", r"\1", value[1:].removesuffix('"'))
        pairs.append((found[1].lower(), value))
        at = max(found.end(), at + 1)
    return pairs


def _section(name: str, text: str) -> _Section | None:
    found = re.fullmatch(r"([^*]+)\*(?:(\d{1,3})(\*)?)?", name)
    if found is None:
        return None
    number = int(found[2]) if found[2] else 0
    return _Section(found[1], number, found[3] is not None or found[2] is None, text)


def _joined(sections: list[_Section]) -> str:
    ordered = sorted(sections, key=lambda section: section.number)
    charset: str | None = None
    data = b""
    for at, section in enumerate(ordered):
        text = section.text
        if at == 0 and section.encoded and text.count("'") >= 2:  # charset'language'value
            charset, _, text = text.split("'", 2)
            text = text.strip('"')
        data += unquote_to_bytes(text) if section.encoded else text.encode("utf-8", "surrogateescape")
    if charset is None and any(section.encoded for section in ordered):
        return decode(data)
    return decode(data, charset) if charset else _plain_value(data.decode("utf-8", "replace"))


def _plain_value(text: str) -> str:
    if "=?" in text:
        return header(text)
    if re.search(r"%[89A-Fa-f][0-9A-Fa-f]", text) and text.isascii():  # a browser's habit, taken over by machines
        data = unquote_to_bytes(text)
        return _either(data, ("utf-8", "cp932")) or text
    return text
