"""Split faxes put together: whoever finds the parts complete, or is told to wait no longer, becomes the fax.

Two ways of splitting. Pieces of one mail (message/partial): no piece can be read alone, so they wait for each other,
and the one that came last is the fax. Whole mails with ``[1/3]`` in the subject: the first is in the inbox at once,
held, and the others join it. Nothing is joined that might be of two faxes: an id or a subject is never trusted alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from gateway.counter import bind, counter_of
from gateway.message import Message, MessageKind
from gateway.models import Fax, Part, Standing
from gateway.partial import MAX_PARTIALS, PartsMissing, content_of, join_parts, join_so_far
from gateway.reader import MailToRead, OpenedMail, Readers
from gateway.spool import Spool
from gateway.store import Siblings, Store

PARTIAL, COUNTER = "partial", "counter"


@dataclass(frozen=True, slots=True)
class Whole:
    """A mail to go on with: itself, what its parts were joined to, or a part that waits."""

    mail: OpenedMail
    lacking: tuple[str, ...] = ()
    """Why a person must look: parts that are not here."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where split faxes are put together."""

    store: Store
    spool: Spool
    readers: Readers
    own_numbers: frozenset[str]
    wait: timedelta
    """How far apart the mails of one fax may come."""

    def whole(self, fax: Fax, run: str) -> Whole:
        """Open the mail of this fax, joined with the other parts of it where it is one of several."""
        part = self.store.part_of(fax.id)
        if part is None:
            mail = self._open(fax, fax.content)
            part = None if fax.duplicate_of else self._part(fax, run, mail)
            if part is None:
                return Whole(mail)
        if part.standing == Standing.APART:
            return Whole(self._open(fax, fax.sha256))
        if part.standing == Standing.JOINED:
            return self._as_part(fax)
        if part.style == COUNTER:
            return self._bound(fax, run)
        return self._joined(fax, run, part)

    # ---- which part ------------------------------------------------------------------------------

    def _part(self, fax: Fax, run: str, mail: OpenedMail) -> Part | None:
        message = mail.message
        if message.kind is MessageKind.PART and message.partial is not None:
            told = message.partial
            return self.store.note_part(run, _note(fax, message, PARTIAL, told.id, told.number, told.total))
        if message.kind is not MessageKind.FAX:
            return None
        seen = counter_of(message.subject, message.transmission.sent_at or fax.accepted_at)
        if seen is None:
            return None
        key = "\n".join((seen.rest, message.transmission.tsi or "", str(seen.total)))
        part = _note(fax, message, COUNTER, key, seen.number, seen.total)
        part.enclosed = mail.enclosed
        return self.store.take_place(run, part, lambda others: self._place(part, fax, others))

    def _place(self, part: Part, fax: Fax, others: Siblings) -> str | None:
        """The fax that a mail joins, or None: it is the first, or several would fit."""
        fits: list[tuple[str, bool]] = []
        for head in dict.fromkeys(of.joined_into or of.id for _, of in others):
            members = [(one, of) for one, of in others if head in (of.id, of.joined_into)]
            taken = [one.enclosed for one, _ in members if one.number == part.number]
            near = any(_near(part, fax, one, of, self.wait) for one, of in members)
            if not near or not all(_agree(part, one) for one, _ in members):
                continue
            if not taken or part.enclosed in taken:
                same_minute = any(_minute(one) == _minute(part) is not None for one, _ in members)
                fits.append((head, same_minute))
        surest = [head for head, same_minute in fits if same_minute] or [head for head, _ in fits]
        return surest[0] if len(surest) == 1 else None

    # ---- whole mails with a counter --------------------------------------------------------------

    def _bound(self, fax: Fax, run: str) -> Whole:
        first: dict[int, Fax] = {}
        parts = self.store.mails_of(fax)
        for part, of in parts:
            first.setdefault(part.number, of)
        total = max(part.total or 0 for part, _ in parts)
        missing = [number for number in range(1, total + 1) if number not in first]
        content = fax.sha256
        if len(first) > 1:
            content = self.spool.put(bind([self.spool.get(first[number].sha256) for number in sorted(first)]))
        standing = Standing.SHORT if missing else Standing.WHOLE
        self.store.joined([of.id for _, of in parts], fax.id, run, content, standing)
        mail = self._open(fax, content)
        if not missing:
            return Whole(mail)
        lost = f"{total}通に分けて送られたFAXのうち、{_list(missing)}通目が届いていません。"
        return Whole(mail, (f"{lost}届けば自動でつながります。",))

    # ---- pieces of one mail ----------------------------------------------------------------------

    def _joined(self, fax: Fax, run: str, part: Part) -> Whole:
        if part.standing == Standing.WHOLE:
            return Whole(self._open(fax, fax.content))
        siblings = self.store.siblings(part)
        done = self._repeat_of(fax, run, part, siblings)
        if done is not None:
            return done
        job = self._job(fax, part, siblings)
        total = next((one.total for one, _ in job if one.total), None)
        missing = _missing(job, total)
        if not missing and total is not None:
            return self._complete(fax, run, job)
        if part.standing != Standing.SHORT:
            for head in (of for one, of in job if one.standing == Standing.SHORT):
                self.store.more_came(head.id)  # it takes this piece in, and still lacks others
            return self._as_part(fax)
        return self._so_far(fax, run, job, total, missing)

    def _complete(self, fax: Fax, run: str, job: Siblings) -> Whole:
        short = [of for one, of in job if one.standing == Standing.SHORT]
        head = short[0] if short else max((of for _, of in job), key=lambda of: (of.accepted_at, of.id))
        if head.id != fax.id:  # it came later but was looked at earlier, or it is in an inbox already
            self.store.more_came(head.id)
            return self._as_part(fax)
        try:
            whole = join_parts([self.spool.get(of.sha256) for _, of in job])
        except PartsMissing as reason:
            return Whole(self._as_part(fax).mail, (str(reason),))
        content = self.spool.put(whole)
        self.store.joined([of.id for _, of in job], fax.id, run, content, Standing.WHOLE)
        return Whole(self._open(fax, content))

    def _so_far(self, fax: Fax, run: str, job: Siblings, total: int | None, missing: Sequence[int]) -> Whole:
        """Nobody waits any longer: one fax of what can be opened."""
        begun = join_so_far([self.spool.get(of.sha256) for _, of in job])
        content = self.spool.put(begun) if begun else fax.sha256
        self.store.joined([of.id for _, of in job], fax.id, run, content, Standing.SHORT)
        mail = self._open(fax, content)
        documents = mail.documents if mail.message.kind is MessageKind.FAX else ()
        of_how_many = f"全{total}通" if total else "何通あるか分からないもの"
        lost = f"{_list(missing)}番目" if missing else "最後の部分"
        sentence = (
            f"分割メール({of_how_many})の{lost}が届いていません。開けたところまでを表示しています。"
            "発信元または機器を確認してください。"
        )
        message = replace(mail.message, kind=MessageKind.FAX)
        return Whole(replace(mail, message=message, documents=documents), (sentence,))

    def _repeat_of(self, fax: Fax, run: str, part: Part, siblings: Siblings) -> Whole | None:
        """A piece that came again after its mail was joined belongs to that one."""
        wholes = {of.id for one, of in siblings if one.standing == Standing.WHOLE}
        for one, of in siblings:
            whole = of.joined_into if of.joined_into in wholes else of.id if of.id in wholes else None
            if whole and one.number == part.number and of.id != fax.id and self._same_piece(fax, of):
                self.store.join(fax.id, run, whole)
                return self._as_part(fax)
        return None

    def _job(self, fax: Fax, part: Part, siblings: Siblings) -> Siblings:
        """The pieces that are surely of one mail with this one, this one among them.

        Those of a mail that is whole already are left out, and those of another one that nobody waits for any longer.
        Where the rest contradict each other (two pieces of one number, two callers, two totals), only those that came
        near in time are taken; where these do too, none: what might be mixed is never joined.
        """
        wholes = {of.id for one, of in siblings if one.standing == Standing.WHOLE}
        short = [of.id for one, of in siblings if one.standing == Standing.SHORT]
        if part.standing == Standing.SHORT:
            short = [fax.id]
        rest = [(one, of) for one, of in siblings if wholes.isdisjoint((of.id, of.joined_into))]
        rest = [(one, of) for one, of in rest if _agree(part, one) and self._open_to(of, one, short)]
        near = [(one, of) for one, of in rest if abs(of.accepted_at - fax.accepted_at) <= self.wait]
        alone = [(one, of) for one, of in rest if of.id == fax.id]
        return next((job for job in (rest, near) if self._of_one_mail(job)), alone)

    def _of_one_mail(self, job: Siblings) -> bool:
        by_number: dict[int, Fax] = {}
        alike = all(self._same_piece(by_number.setdefault(one.number, of), of) for one, of in job)
        return alike and all(_agree(one, other) for one, _ in job for other, _ in job)

    @staticmethod
    def _open_to(of: Fax, one: Part, short: Sequence[str]) -> bool:
        """Whether a piece waits, or belongs to the one incomplete fax that this piece may complete."""
        if one.standing == Standing.WAITING:
            return True
        return len(short) == 1 and (of.joined_into or of.id) == short[0]

    def _same_piece(self, one: Fax, other: Fax) -> bool:
        return one.sha256 == other.sha256 or content_of(self.spool.get(one.sha256)) == content_of(
            self.spool.get(other.sha256)
        )

    # ---- opening ---------------------------------------------------------------------------------

    def _as_part(self, fax: Fax) -> Whole:
        mail = self._open(fax, fax.sha256)
        return Whole(replace(mail, message=replace(mail.message, kind=MessageKind.PART), documents=()))

    def _open(self, fax: Fax, content: str) -> OpenedMail:
        return self.readers.open(MailToRead(content, fax.envelope_from, self.own_numbers))


def _note(fax: Fax, message: Message, style: str, key: str, number: int, total: int | None) -> Part:
    return Part(
        fax_id=fax.id,
        partial_id=key,
        number=number,
        total=total,
        style=style,
        sender=message.sender,
        caller=message.transmission.caller,
        told_at=message.transmission.sent_at,
    )


def _missing(job: Siblings, total: int | None) -> list[int]:
    here = {one.number for one, _ in job}
    return [number for number in range(1, (total or max(here)) + 1) if number not in here]


def _agree(one: Part, other: Part) -> bool:
    """Whether nothing that both tell speaks against their being of one mail."""
    callers = {part.caller for part in (one, other) if part.caller}
    totals = {part.total for part in (one, other) if part.total}
    most = min(totals, default=MAX_PARTIALS)
    return len(callers) < 2 and len(totals) < 2 and max(one.number, other.number) <= most


def _near(one: Part, of_one: Fax, other: Part, of_other: Fax, wait: timedelta) -> bool:
    if one.told_at is not None and other.told_at is not None:
        return abs(one.told_at - other.told_at) <= wait
    return abs(of_one.accepted_at - of_other.accepted_at) <= wait


def _minute(part: Part) -> str | None:
    return f"{part.told_at:%Y-%m-%d %H:%M}" if part.told_at else None


def _list(numbers: Iterable[int]) -> str:
    shown = list(numbers)
    return "、".join(map(str, shown[:20])) + ("ほか" if len(shown) > 20 else "")
