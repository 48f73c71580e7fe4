"""The parts of a mail, whatever state the mail is in: Python's ``email`` with limits and repairs around it.

``email`` (compat32) does the parsing; this room bounds what it may be made to do, and mends what fax machines break:
header lines that are none, several Content-Types, a boundary that is missing or wrong, base64 with junk, a forwarded
mail inside an encoded part. It gives leaves (one decoded body each) and the header blocks they stand under.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as _EmailMessage
from email.parser import BytesFeedParser
from email.policy import Compat32

from gateway import charset

MAX_BYTES = 256 * 1024 * 1024
"""A mail beyond this is not parsed; the door's own limit is far below."""
MAX_PARTS = 1000
"""Parts in one mail: the longest faxes sent a page a file have a few hundred."""
MAX_CONTAINERS = 32
"""Multiparts and mails inside mails, all together; also bounds the parser's recursion."""
MAX_HEADERS = 2000
"""Header fields, all parts together counted at ten times that."""
MAX_FIELD = 262_144
"""Bytes of one header field."""
MAX_HEAD = 1_048_576
"""Bytes of one header block; the parser keeps every line of it, at some 25 times the size of a short line."""
MAX_LINES = 5_000_000
"""Lines of a mail, for the same reason: 256 MB of base64 have 3.5 million, and a line takes 60 bytes at least."""
MAX_UUENCODED = 100
"""Uuencoded files in one text; the machines that send them send one."""
_BLOCK = 65_536

_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_FIELD_START = re.compile(rb"[!-9;-~]+:")
_LOOSE_FIELD = re.compile(rb"([!-9;-~]{1,60})[ \t]+:")
_KNOWN_FIELD = re.compile(rb"(?im)^(?:from|to|subject|date|mime-version|content-type|received|message-id)[ \t]*:")
_LOST_BOUNDARY = re.compile(
    rb"(?:\A|[\r\n])--([^\r\n]{1,200}?)[ \t]*\r?\n(?=content-[a-z-]{4,40}[ \t]*:)", re.IGNORECASE
)
# POSIX.1-2017 uuencode: "begin", the file's mode, its name; the first line is almost always a full one (M, 60 more).
_UU_BEGIN = re.compile(rb"(?:\A|(?<=[\r\n]))begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n(?=[!-`][ -`]{4,86}[ \t]*\r?\n)")
_UU_END = re.compile(rb"(?<=[\r\n])(?:[ `][ \t]*\r?\n)?end[ \t]*(?:\r?\n|\Z)")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_SPACE = b" \t\r\n\v\f"
# The first bytes of TIFF, PDF, JPEG and PNG as base64 writes them.
_BASE64_OF_A_FAX = re.compile(rb"\s*(?:SUkqA|TU0AK|JVBERi|/9j/|iVBORw0KGgo)[A-Za-z0-9+/\r\n]{40}")


class TooMuch(Exception):
    """A limit was passed; ``str`` is the Japanese sentence for staff."""


class Head:
    """One header block: the mail's own, or that of a mail inside it."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def raw(self, name: str) -> list[str]:
        """All values of a field, as they stand."""
        return [value for key, value in self._fields if key.lower() == name]

    def all(self, name: str) -> list[str]:
        """All values of a field, decoded."""
        return [charset.header(value) for value in self.raw(name)]

    def first(self, name: str) -> str:
        """The first value that says something, decoded; empty when the field is not there."""
        return next((text for text in self.all(name) if text), "")

    def items(self) -> Iterator[tuple[str, str]]:
        """Every field, name in lower case, value as it stands."""
        for key, value in self._fields:
            yield key.lower(), value


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part that holds content."""

    media_type: str
    name: str
    disposition: str
    charset: str | None
    data: bytes = field(repr=False)
    content_id: str
    alternative: int
    """Parts of one multipart/alternative share this number: they say the same in several forms (RFC 2046 5.1.4)."""
    related: bool
    """Inside multipart/related: a picture of the text, perhaps."""
    depth: int
    """0 in the mail itself, 1 in a mail forwarded inside it, ..."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail taken apart."""

    head: Head
    inner: tuple[Head, ...] = ()
    """Header blocks of the mails forwarded inside."""
    leaves: tuple[Leaf, ...] = ()
    report: str = ""
    """``mdn`` (RFC 8098), ``bounce`` (RFC 3464) or empty."""
    repairs: tuple[str, ...] = ()
    """What had to be mended, Japanese."""


@dataclass(slots=True)
class _Budget:
    """What is left to spend on one mail; shared by every parse of its pieces."""

    raw: bytes
    parts: int = MAX_PARTS
    containers: int = MAX_CONTAINERS
    headers: int = MAX_HEADERS * 10
    bytes_left: int = 0
    heading: _Part | None = None
    """The part whose header block the parser is still gathering."""
    gathered: int = 0
    """Bytes handed to the parser since."""

    def parse(self, size: int) -> None:
        self.bytes_left = (self.bytes_left or 4 * len(self.raw) + _BLOCK) - size
        if self.bytes_left <= 0:
            raise TooMuch("メールの中のメールが多すぎます。")

    def fed(self, size: int) -> None:
        """The parser took so many bytes: it gathers a header block whole before anybody can count its fields."""
        self.gathered += size
        if self.heading is not None and self.gathered > MAX_HEAD + _BLOCK:
            raise TooMuch("メールのヘッダーが長すぎます。")

    def part(self, heading: _Part | None = None) -> None:
        self.heading, self.gathered = heading, 0
        self.parts -= 1
        if self.parts < 0:
            raise TooMuch(f"メールの部品が{MAX_PARTS}個を超えています。")

    def container(self) -> None:
        self.containers -= 1
        if self.containers < 0:
            raise TooMuch(f"メールの入れ子が{MAX_CONTAINERS}個を超えています。")

    def header(self, name: str, value: str, so_far: int) -> None:
        self.headers -= 1
        if self.headers < 0 or so_far > MAX_HEADERS:
            raise TooMuch("メールのヘッダーの数が多すぎます。")
        if len(name) + len(value) > MAX_FIELD:
            raise TooMuch("メールのヘッダーが長すぎます。")


class _Part(_EmailMessage):
    """``email``'s message, asked in ways that cannot be abused: its own parameter parser takes quadratic time."""

    def __init__(self, budget: _Budget, policy: Compat32) -> None:
        super().__init__(policy=policy)
        budget.part(self)
        self._budget = budget
        self._type: tuple[str, dict[str, str]] | None = None
        self._counted = False
        self._fields = 0

    def set_raw(self, name: str, value: str) -> None:
        """Called by the parser for every field."""
        self._fields += 1
        self._budget.header(name, value, self._fields)
        super().set_raw(name, value)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header as it stands, 8-bit bytes as surrogates."""
        return list(self.raw_items())

    def content_type(self) -> tuple[str, dict[str, str]]:
        """The Content-Type to go by; of several (Cisco's gateways send two) the one that fits the mail."""
        if self._type is None:
            values = [value for name, value in self.fields if name.lower() == "content-type"]
            found = [charset.parameters(value) for value in values[:4]]
            self._type = max(found, key=self._fitness) if len(found) > 1 else next(iter(found), ("", {}))
        return self._type

    def _fitness(self, found: tuple[str, dict[str, str]]) -> int:
        kind, given = found
        if kind.startswith("multipart/"):
            boundary = given.get("boundary", "")
            self._budget.container()  # the search costs as much
            return 3 if boundary and b"--" + _bytes(boundary) in self._budget.raw else 0
        if kind.startswith(("image/", "application/pdf")):
            return 2
        return 1 if kind.count("/") == 1 else 0

    # What the feed parser asks. Names and meanings are email.message.Message's.

    def get_content_type(self) -> str:
        """Value of the Content-Type, with RFC 2045 5.2's default."""
        if self._budget.heading is self:
            self._budget.heading = None  # the parser asks when it has the whole header
        kind = self.content_type()[0]
        return kind if kind.count("/") == 1 else self.get_default_type()

    def get_content_maintype(self) -> str:
        """Its main type; containers are counted here, because here the parser decides to go in."""
        main = self.get_content_type().split("/")[0]
        if main in ("multipart", "message") and not self._counted:
            self._counted = True
            self._budget.container()
        return main

    def get_boundary(self, failobj: object = None) -> object:  # type: ignore[override]
        """The boundary, or ``failobj``."""
        boundary = self.content_type()[1].get("boundary", "").rstrip()
        return _bytes(boundary).decode("ascii", "surrogateescape") if boundary else failobj

    @property
    def content(self) -> bytes:
        """The body's bytes as they came."""
        # Not get_payload(): without decoding it turns 8-bit bytes into "?", with it the label is believed.
        payload = vars(self).get("_payload")
        return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""

    @property
    def children(self) -> list[_Part]:
        """The parts inside."""
        payload = self.get_payload()
        return [part for part in payload if isinstance(part, _Part)] if isinstance(payload, list) else []


def open_mail(raw: bytes) -> Opened:
    """Take a mail apart. Raises TooMuch beyond the limits and nothing else for content."""
    if len(raw) > MAX_BYTES:
        raise TooMuch(f"メールが大きすぎます({len(raw) // 1_048_576} MB)。")
    if _lines(raw) > MAX_LINES:
        raise TooMuch("メールの行が多すぎます。")
    walk = _Walk(_Budget(raw))
    top = walk.parse(raw)
    walk.visit(top, _Place())
    return Opened(
        Head(top.fields), tuple(walk.inner), tuple(walk.leaves), walk.report, tuple(dict.fromkeys(walk.repairs))
    )


def open_head(raw: bytes) -> Head:
    """Only the mail's own header, whatever follows; fields beyond the limits are left out."""
    head = raw[:MAX_HEAD]
    end = _BLANK_LINE.search(head)
    lines = (head[: end.start()] if end else head).splitlines()[:MAX_HEADERS]
    fields: list[tuple[str, str]] = []
    for line in lines:
        text = line[: charset.MAX_HEADER].decode("utf-8", "surrogateescape")
        if fields and line[:1] in b" \t":
            name, value = fields.pop()
            fields.append((name, f"{value}\n{text}"[: charset.MAX_HEADER]))
        elif _FIELD_START.match(line):
            name, _, value = text.partition(":")
            fields.append((name.strip(), value.strip()))
    return Head(fields)


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """The header block with its last line's end, and the body after the blank line."""
    found = re.search(rb"\A\r?\n|(\r?\n)\r?\n", raw)
    if found is None:
        return raw, b""
    return raw[: found.end(1) if found[1] else 0], raw[found.end() :]


def split_fields(head: bytes) -> list[tuple[str, bytes]]:
    """The fields of a header block, name in lower case, text as it stands with its folds."""
    fields: list[tuple[str, bytes]] = []
    for line in head.splitlines(keepends=True):
        if line[:1] in b" \t" and fields:
            name, text = fields[-1]
            fields[-1] = (name, text + line)
        elif _FIELD_START.match(line):
            fields.append((line.partition(b":")[0].decode("ascii", "replace").lower(), line))
    return fields


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the mail the walk stands."""

    depth: int = 0
    alternative: int = 0
    related: bool = False


class _Walk:
    """One pass over a mail; gathers leaves, inner headers and repairs."""

    def __init__(self, budget: _Budget) -> None:
        self.budget = budget
        self.leaves: list[Leaf] = []
        self.inner: list[Head] = []
        self.report = ""
        self.repairs: list[str] = []
        self._alternatives = 0

    def parse(self, raw: bytes) -> _Part:
        def new_part(policy: Compat32 = _POLICY) -> _Part:
            return _Part(self.budget, policy)

        self.budget.parse(len(raw))
        parser: BytesFeedParser[_Part] = BytesFeedParser(new_part, policy=_POLICY)  # type: ignore[arg-type]
        head, start = self._mended_head(raw)
        parser.feed(head)
        body = memoryview(raw)
        for at in range(start, len(raw), _BLOCK):
            parser.feed(bytes(body[at : at + _BLOCK]))
            self.budget.fed(_BLOCK)
        return parser.close()

    def _mended_head(self, raw: bytes) -> tuple[bytes, int]:
        """The header block with its broken lines mended, and where in ``raw`` the rest begins."""
        start = _leading(raw)
        found = _BLANK_LINE.search(raw, start, start + MAX_HEAD)
        end = found.start() if found else min(len(raw), start + MAX_HEAD)
        if found is None and end < len(raw) and _KNOWN_FIELD.search(raw, start, end):
            raise TooMuch("メールのヘッダーが長すぎます。")
        lines = raw[start:end].splitlines(keepends=True)
        if all(_is_field(line) for line in lines) or not _KNOWN_FIELD.search(raw, start, end):
            return raw[start:end], end  # sound, or no header at all: then it is a body
        self.repairs.append("ヘッダーの壊れた行を補って読みました。")
        last = max(number for number, line in enumerate(lines) if _FIELD_START.match(line) or _LOOSE_FIELD.match(line))
        mended: list[bytes] = []
        for number, line in enumerate(lines):
            if line.startswith(b"--") or (number > last and not _is_field(line)):  # the blank line is missing
                return b"".join(mended) + b"\r\n", start + sum(map(len, lines[:number]))
            mended.append(_mended(line, first=not mended))
        return b"".join(mended), end

    def visit(self, part: _Part, place: _Place) -> None:
        """Go through a part and everything in it."""
        kind = part.get_content_type()
        if kind.startswith("multipart/"):
            self._multipart(part, kind, place)
        elif kind.startswith("message/"):
            self._message(part, kind, place)
        else:
            self._single(part, kind, place)

    def _multipart(self, part: _Part, kind: str, place: _Place) -> None:
        self._report_of(kind, part.content_type()[1], place)
        children = part.children
        if not children:
            self._lost_boundary(part, place)
            return
        if any(type(defect).__name__ == "CloseBoundaryNotFoundDefect" for defect in part.defects):
            self.repairs.append("メールの終わりの区切りがありません。途中で切れている可能性があります。")
        if kind == "multipart/alternative":
            self._alternatives += 1
            place = _Place(place.depth, self._alternatives, place.related)
        elif kind == "multipart/related":
            place = _Place(place.depth, place.alternative, True)
        for child in children:
            self.visit(child, place)
        self._behind_the_end(part, place)

    def _behind_the_end(self, part: _Part, place: _Place) -> None:
        """Parts after the closing boundary: a multipart inside that was given the same one ends both."""
        epilogue = part.epilogue
        if not isinstance(epilogue, str):
            return
        behind = _bytes(epilogue)
        if found := _LOST_BOUNDARY.search(behind):
            self.repairs.append("メールの終わりの区切りの後ろにも部品があるため、続けて読みました。")
            try:
                self._reparse(b"multipart/mixed", found[1], behind, place)
            except TooMuch as reason:  # what stood before the end is read all the same
                self.repairs.append(f"終わりの区切りの後ろは読めません。{reason}")

    def _report_of(self, kind: str, given: dict[str, str], place: _Place) -> None:
        if kind == "multipart/report" and place.depth == 0:  # RFC 6522
            named = given.get("report-type", "").lower()
            self.report = {"disposition-notification": "mdn", "delivery-status": "bounce"}.get(named, self.report)

    def _lost_boundary(self, part: _Part, place: _Place) -> None:
        """A multipart whose boundary is missing or is not the one its body uses."""
        content = _transfer_decoded(part)
        found = _LOST_BOUNDARY.search(content)
        if found is None:
            self._leaf(part, "text/plain", content, place)
            return
        self.repairs.append("メールの区切り(boundary)が壊れていたため、本文から補いました。")
        self._reparse(b"multipart/mixed", found[1], content, place)

    def _reparse(self, kind: bytes, boundary: bytes, content: bytes, place: _Place) -> None:
        quoted = boundary.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        again = self.parse(b"Content-Type: " + kind + b'; boundary="' + quoted + b'"\r\n\r\n' + content)
        if again.children:
            self.visit(again, place)
        else:
            self._leaf(again, "text/plain", content, place)

    def _message(self, part: _Part, kind: str, place: _Place) -> None:
        if kind in ("message/disposition-notification", "message/delivery-status", "message/feedback-report"):
            if place.depth == 0:
                self.report = self.report or ("mdn" if kind.endswith("notification") else "bounce")
            return
        if kind == "message/partial":
            self.repairs.append("分割メールの一部が添付されています。元の分割メールをそのまま転送してください。")
            self._leaf(part, kind, b"".join(_flat(child) for child in part.children), place)
            return
        children = part.children
        if _encoding(part) in ("base64", "quoted-printable"):  # RFC 2046 5.2.1 forbids it; forwarders do it
            children = [self.parse(decoded)] if (decoded := self._encoded_message(part)) else children
        for child in children:
            self._forwarded(child, place)

    def _encoded_message(self, part: _Part) -> bytes:
        body = b"".join(_flat(child) for child in part.children)
        return _decoded(body, _encoding(part))

    def _forwarded(self, mail: _Part, place: _Place) -> None:
        self.inner.append(Head(mail.fields))
        self.visit(mail, _Place(place.depth + 1, 0, False))

    def _single(self, part: _Part, kind: str, place: _Place) -> None:
        content = _transfer_decoded(part)
        headless = not part.content_type()[0] and place == _Place() and kind == "text/plain"
        if headless and (found := _LOST_BOUNDARY.search(content)):
            self.repairs.append("Content-Typeがないため、本文の区切りから読みました。")
            self._reparse(b"multipart/mixed", found[1], content, place)
            return
        name = _name(part)
        if name.lower().endswith(".eml") and _KNOWN_FIELD.search(content[:_BLOCK]):
            self.budget.container()
            self._forwarded(self.parse(content), place)
            return
        if kind.startswith("text/") or _encoding(part) == "uuencode":
            content = self._without_uuencoded(content, place)
        self._leaf(part, kind, content, place)

    def _without_uuencoded(self, text: bytes, place: _Place) -> bytes:
        """The text around files that were written into it, as mail was before MIME; the files become leaves."""
        kept: list[bytes] = []
        at = 0
        for _ in range(MAX_UUENCODED):
            begin = _UU_BEGIN.search(text, at)
            if begin is None:
                break
            end = _UU_END.search(text, begin.end())
            stop = end.start() if end else len(text)
            kept.append(text[at : begin.start()])
            at = end.end() if end else len(text)
            self.budget.part()
            data, whole = from_uuencode(text[begin.end() : stop])
            if not (end and whole):
                self.repairs.append("uuencodeで書かれた添付ファイルが壊れているか、途中で切れています。")
            name = charset.file_name(("", {"name": charset.decode(begin[1]).strip()}))
            self.leaves.append(
                Leaf(
                    "application/octet-stream",
                    name,
                    "attachment",
                    None,
                    data,
                    "",
                    place.alternative,
                    False,
                    place.depth,
                )
            )
        return b"".join((*kept, text[at:]))

    def _leaf(self, part: _Part, kind: str, content: bytes, place: _Place) -> None:
        head = Head(part.fields)
        disposition, _ = charset.parameters(next(iter(head.raw("content-disposition")), ""))
        self.leaves.append(
            Leaf(
                media_type=kind,
                name=_name(part),
                disposition=disposition,
                charset=part.content_type()[1].get("charset"),
                data=content,
                content_id=head.first("content-id").strip("<> "),
                alternative=place.alternative,
                related=place.related,
                depth=place.depth,
            )
        )


_POLICY = Compat32()


def _is_field(line: bytes) -> bool:
    return line[:1] in b" \t" or _FIELD_START.match(line) is not None


def _mended(line: bytes, *, first: bool) -> bytes:
    loose = _LOOSE_FIELD.match(line)
    if _is_field(line):
        return line
    if loose:
        return loose[1] + b":" + line[loose.end() :]
    return b"" if first else b" " + line


def _leading(raw: bytes) -> int:
    """Bytes before the first header line: a byte order mark, blank lines, an mbox's separator."""
    found = re.match(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:>?From [^\r\n]{0,998}\r?\n)?", raw)
    return found.end() if found else 0


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _name(part: _Part) -> str:
    disposition = [charset.parameters(value) for value in Head(part.fields).raw("content-disposition")]
    return charset.file_name(*disposition, part.content_type())


def _encoding(part: _Part) -> str:
    for name, value in part.fields:
        if name.lower() == "content-transfer-encoding":
            letters = re.sub(r"[^a-z0-9]", "", value.lower())
            if letters.startswith("base64"):
                return "base64"
            if letters in ("xuuencode", "uuencode", "xuue"):
                return "uuencode"
            return "quoted-printable" if letters.startswith("quotedprintable") else "8bit"
    return "8bit"


def _transfer_decoded(part: _Part) -> bytes:
    return _decoded(part.content, _encoding(part))


def _decoded(body: bytes, encoding: str) -> bytes:
    """The content behind a transfer encoding (RFC 2045 6), also when the label is wrong."""
    if body.lstrip()[:5] == b"%PDF-" or body[:4] in (b"II*\0", b"MM\0*"):
        return body  # says base64, is not
    if encoding == "base64" or (encoding == "8bit" and _BASE64_OF_A_FAX.match(body)):
        return from_base64(body)
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    return body


def from_base64(body: bytes) -> bytes:
    r"""Base64 as found in the wild: junk, blocks padded one by one, a cut end. What can be read is read.

    >>> from_base64(b"SUkq*AA==\r\nSUkqAA==")
    b'II*\x00II*\x00'
    """
    squeezed = body.translate(None, _SPACE)
    try:
        return binascii.a2b_base64(squeezed, strict_mode=True)
    except binascii.Error:
        pass
    clean = bytearray()
    for line in body.splitlines():
        if not _prose(line):
            clean += line.translate(None, _NOT_BASE64)
    out = bytearray()
    for block in re.finditer(rb"[^=]{2,}", clean):  # padding ends a block; another may follow
        whole = block[0][: -1 if len(block[0]) % 4 == 1 else None]
        out += binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    return bytes(out)


def _prose(line: bytes) -> bool:
    """A line that some gateway on the way wrote under the base64 (a disclaimer), not a damaged line of it."""
    junk = len(line.translate(None, _BASE64 + _SPACE))
    if junk * 4 > len(line) + 8:
        return True
    words = line.split(maxsplit=1000)
    return len(words) > 2 and any(len(word) % 4 for word in words[:-1])


def from_uuencode(lines: bytes) -> tuple[bytes, bool]:
    r"""The bytes behind the lines between ``begin`` and ``end``, and whether every line made sense.

    Spaces at the end of a line are lost on the way, and some programs write a check sum behind it.

    >>> from_uuencode(b'#0V%T\n')
    (b'Cat', True)
    """
    out, whole = bytearray(), True
    for line in lines.splitlines():
        if not line:
            continue
        count = (line[0] - 32) & 63
        letters = (count + 2) // 3 * 4
        piece = line[: 1 + letters].ljust(1 + letters)
        try:
            out += binascii.a2b_uu(piece)
        except binascii.Error:
            whole = False
    return bytes(out), whole


def _lines(raw: bytes) -> int:
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


def _flat(part: _Part) -> bytes:
    """A parsed part as the bytes it came from, near enough to decode again."""
    head = b"".join(_bytes(f"{name}: {value}\r\n") for name, value in part.fields)
    return (head + b"\r\n" if head else b"") + part.content
