"""Mails that a machine split because they were long (message/partial, RFC 2046 5.2.2): the piece, the whole again.

Canon's and FUJIFILM's machines send them; the pieces come out of order, twice, between pieces of other jobs, or never.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway import charset, mime
from gateway.errors import GatewayError

MAX_PARTIALS = 999
"""Pieces of one message/partial; Canon's machines stop at 999."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Which piece of which split mail."""

    id: str
    number: int
    """From 1."""
    total: int | None
    """Only the last piece must tell (RFC 2046 5.2.2)."""


class PartsMissing(GatewayError):
    """The pieces do not make the whole mail yet; ``missing`` holds the numbers that are not there (empty: unknown)."""

    again = True

    def __init__(self, sentence: str, missing: tuple[int, ...] = ()) -> None:
        super().__init__(sentence)
        self.missing = missing


def _content_type(head: mime.Head) -> tuple[str, dict[str, str]]:
    return charset.parameters(next(iter(head.raw("content-type")), ""))


def is_partial(head: mime.Head) -> bool:
    """Whether a mail with this header is a piece of a split one."""
    return _content_type(head)[0] == "message/partial"


def partial_of(head: mime.Head) -> Partial | None:
    """Which piece it is; None when the header does not tell, or tells nonsense."""
    given = _content_type(head)[1]
    number, total = given.get("number", ""), given.get("total", "")
    if not given.get("id") or not re.fullmatch(r"\d{1,3}", number) or not re.fullmatch(r"\d{0,3}", total):
        return None
    count = int(total) if total else None
    if not 1 <= int(number) <= (count or MAX_PARTIALS):
        return None
    return Partial(given["id"][:998], int(number), count)


def join_parts(parts: Sequence[bytes]) -> bytes:
    """The whole mail out of its message/partial pieces (RFC 2046 5.2.2.1), in any order, repeated or not.

    Raises PartsMissing while pieces are missing, or when the pieces are not of one mail.
    """
    pieces: dict[int, bytes] = {}
    ids: set[str] = set()
    total: int | None = None
    for raw in parts:
        head = mime.open_head(raw)
        partial = partial_of(head) if is_partial(head) else None
        if partial is None:
            raise PartsMissing("分割メールではないものが混ざっています。")
        ids.add(partial.id)
        total = total or partial.total
        pieces.setdefault(partial.number, raw)
    if len(ids) != 1:
        raise PartsMissing("別々の分割メールが混ざっています。" if ids else "分割メールがまだありません。")
    missing = tuple(number for number in range(1, (total or max(pieces)) + 1) if number not in pieces)
    if missing or total is None:
        shown = "、".join(map(str, missing[:20])) or "最後"
        raise PartsMissing(f"分割メールの{shown}番目がまだ届いていません。", missing)
    return _joined([pieces[number] for number in range(1, total + 1)])


def join_so_far(parts: Sequence[bytes]) -> bytes:
    """As much of the mail as its pieces give from the first on without a gap; empty when the first is missing.

    Numbers and total are taken as :func:`join_parts` takes them; nothing is raised for what is missing.
    """
    pieces: dict[int, bytes] = {}
    for raw in parts:
        partial = partial_of(mime.open_head(raw))
        if partial is not None:
            pieces.setdefault(partial.number, raw)
    run: list[bytes] = []
    while len(run) + 1 in pieces:
        run.append(pieces[len(run) + 1])
    return _joined(run) if run else b""


def content_of(part: bytes) -> str:
    """SHA-256 of what a piece holds, its own header left aside: equal for a piece that was sent again."""
    return hashlib.sha256(mime.split_head(part)[1].rstrip()).hexdigest()


def _joined(pieces: list[bytes]) -> bytes:
    outer, first = mime.split_head(pieces[0])
    bodies = [first, *(mime.split_head(piece)[1] for piece in pieces[1:])]
    # Pieces are cut between lines (RFC 2046 5.2.2); the last line's end may be lost on the way.
    whole = b"".join(body if body.endswith(b"\n") or not body else body + b"\r\n" for body in bodies)
    inner, body = mime.split_head(whole)
    inner_fields = [(name, text) for name, text in mime.split_fields(inner) if _belongs_inside(name)]
    names = {name for name, _ in inner_fields}
    outer_fields = [
        (name, text)
        for name, text in mime.split_fields(outer)
        # The enclosed mail's subject counts (rule 2); a machine that leaves it out there has it only outside.
        if not _belongs_inside(name) or (name in ("subject", "message-id") and name not in names)
    ]
    head = b"".join(text if text.endswith(b"\n") else text + b"\r\n" for _, text in (*outer_fields, *inner_fields))
    return head + b"\r\n" + body


def _belongs_inside(name: str) -> bool:
    return name.startswith("content-") or name in ("subject", "message-id", "encrypted", "mime-version")
