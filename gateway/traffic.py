"""The count: faxes by month, bureau, department, purpose, sender, machine and line, beside base year and target.

Two counts stand side by side and are never mixed. ``paper`` is the programme's KPI (紙FAX件数): what was sent and
received over paper machines; a fax received electronically is not in it. ``arrivals`` is the true dependency
(FAX依存件数): every fax that somebody sent us, electronic or on paper. The rule in plain words, with its sources:
docs/counting.md.

Reads through the store's named queries, writes nothing. Months are texts like ``2026-11``, months of Asia/Tokyo.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import chain
from typing import Any

from gateway.config import Traffic
from gateway.errors import UsageError
from gateway.ledger import Arrivals
from gateway.models import TOKYO, Baseline, RegisterEntry, month_of, now
from gateway.store import Store
from gateway.table import Mistakes, rows_of
from routing import dates, number
from routing.department import Organisation
from routing.directory import Directory

RULE = "1"
"""The version of the counting rule; grows when a figure of the past would come out differently."""

DIMENSIONS = ("bureau", "department", "purpose", "sender", "machine", "line")
_IN_BASELINE = frozenset({"bureau", "department"})
_LONGEST_REPORT = 600  # months

BASELINE_COLUMNS = ("month", "bureau", "department", "direction", "count")
REGISTER_COLUMNS = (
    "date", "bureau", "department", "machine", "direction", "counterpart", "number", "purpose", "pages", "reason",
)  # fmt: skip
_DIRECTIONS = {
    "sent": "sent", "送信": "sent", "送": "sent",
    "received": "received", "受信": "received", "受": "received",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """How many faxes, and how many in the base month. ``base`` None: nobody knows, which is not success."""

    count: int
    base: int | None

    @property
    def reduction(self) -> float | None:
        """The share that is gone (0.98 = 98 % fewer; negative: more than before); None without a base to compare."""
        return round(1 - self.count / self.base, 6) if self.base else None


@dataclass(frozen=True, slots=True)
class Group:
    """Both counts of one value of a dimension."""

    arrivals: Count
    paper: Count


@dataclass(frozen=True, slots=True)
class MonthCount:
    """One month beside its base month."""

    month: str
    base_month: str
    target: float | None
    """The reduction to reach; None before the first target."""
    arrivals: Count
    paper: Count
    excluded: dict[str, int]
    """Taken but not counted, by why: ``duplicates`` (always there), ``notices``, ``parts``."""
    provisional: bool
    """The month has not ended: the figures will still grow."""
    by: dict[str, dict[str, Group]]
    """Dimension -> value -> counts, most faxes first; an empty value is an unknown one."""
    begun: bool
    """The gateway took faxes in this month or before; what it did not see is not gone."""

    @property
    def recorded(self) -> dict[str, bool]:
        """Whether the arrivals and the paper count rest on records: nobody wrote is not the same as nothing came."""
        return {"arrivals": self.begun or self.arrivals.count > 0, "paper": self.paper.count > 0}


@dataclass(frozen=True, slots=True)
class Report:
    """Months in order, and the version of the rule they were counted by."""

    rule: str
    months: tuple[MonthCount, ...]


@dataclass(frozen=True, slots=True)
class SilentLine:
    """A line that brings nothing: broken, unplugged or not forwarding, until somebody has looked."""

    line: str
    name: str
    """Its machine, or its number, or its id."""
    last: datetime | None
    """When it last brought anything; None: never."""


@dataclass(frozen=True, slots=True)
class _Heap:
    """So many faxes that have everything in common that the count asks for."""

    month: str
    arrivals: int
    paper: int
    traits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Senders:
    """What senders are called in the count: institutions by their name, so that one with several numbers is one."""

    directory: Directory
    shared: frozenset[str]
    """Names of more than one institution: those are told apart by their ids."""

    @classmethod
    def of(cls, directory: Directory) -> _Senders:
        names = Counter(one.name for one in directory.institutions)
        return cls(directory, frozenset(name for name, count in names.items() if count > 1))

    def called(self, number: str, institution: str | None = None) -> str:
        """The institution that the number speaks for, else the one it was known as, else the number."""
        holders = self.directory.of_caller(number)
        one = holders[0] if len(holders) == 1 else self.directory.ids.get(institution or "")
        if one is None:
            return number
        return f"{one.name} ({one.id})" if one.name in self.shared else one.name


# ---- the report -------------------------------------------------------------------------------------


def report(
    store: Store,
    organisation: Organisation,
    traffic: Traffic,
    first: str,
    last: str,
    by: Sequence[str] = (),
    moment: datetime | None = None,
) -> Report:
    """The months ``first`` to ``last``, both included, broken down by the dimensions ``by``.

    Raises :class:`UsageError` for what is no month, for months in the wrong order and for an unknown dimension.
    """
    span = months(first, last)
    dimensions = _dimensions(by)
    bases = {month: base_month(month, traffic.baseline_year) for month in span}
    who = _Senders.of(store.institutions.directory())
    taken = (_of_gateway(row, organisation, who) for row in store.ledger.arrivals(span[0], span[-1]))
    noted = (_of_register(row, organisation, who) for row in store.ledger.register(span[0], span[-1]))
    faxes = _by_month(chain(taken, noted))
    before = _by_month(_of_baseline(row, organisation) for row in store.ledger.baseline(sorted(set(bases.values()))))
    excluded = store.ledger.excluded(span[0], span[-1])
    running = month_of(moment or now())
    begun = store.ledger.first_month() or running
    return Report(
        RULE,
        tuple(
            _month_count(
                month,
                bases[month],
                target_of(traffic, month),
                faxes.get(month, []),
                before.get(bases[month], []),
                {"duplicates": 0} | {why: count for of, why, count in excluded if of == month},
                month >= running,
                dimensions,
                begun=month >= begun,
            )
            for month in span
        ),
    )


def months(first: str, last: str) -> tuple[str, ...]:
    """The months from ``first`` to ``last``, both included; raises :class:`UsageError`."""
    start, end = _ordinal(first), _ordinal(last)
    if end < start:
        raise UsageError(f"{first} から {last} までという期間はありません (the first month is after the last)")
    if end - start >= _LONGEST_REPORT:
        raise UsageError(f"一度に集計できるのは{_LONGEST_REPORT}か月までです (too many months)")
    return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1))


def _ordinal(month: str) -> int:
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", month)
    if not match:
        raise UsageError(f"月「{month[:20]}」が読めません。2026-11 のように書いてください (not a month)")
    return int(match[1]) * 12 + int(match[2]) - 1


def base_month(month: str, year: str) -> str:
    """The month of the base year to compare with: ``FY2019`` runs from 2019-04 to 2020-03, ``2019`` from January."""
    number_of_month = month[-2:]
    base = int(year.removeprefix("FY"))
    if year.startswith("FY") and number_of_month < "04":
        base += 1
    return f"{base:04}-{number_of_month}"


def target_of(traffic: Traffic, month: str) -> float | None:
    """The reduction to reach in ``month``: the newest target that has begun, or None."""
    begun = [target for target in traffic.targets if target.since <= month]
    return max(begun, key=lambda target: target.since).reduction if begun else None


def allowance(count: Count, target: float | None) -> int | None:
    """How many faxes the target leaves room for in this month; None without base or target."""
    if target is None or not count.base:
        return None
    return int(count.base * (1 - Fraction(str(target))))  # in fractions: 1 - 0.98 is not 0.02 in floats


def to_target(count: Count, target: float | None) -> int | None:
    """How many faxes fewer the target still asks for; 0 when it is reached, None when nobody can know."""
    allowed = allowance(count, target)
    return None if allowed is None else max(0, count.count - allowed)


def _by_month(heaps: Iterable[_Heap]) -> dict[str, list[_Heap]]:
    months: dict[str, list[_Heap]] = {}
    for heap in heaps:
        months.setdefault(heap.month, []).append(heap)
    return months


def _dimensions(by: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in by if name not in DIMENSIONS]
    if unknown:
        raise UsageError(
            f"集計軸「{'、'.join(name[:20] for name in unknown)}」はありません。"
            f"使えるもの (unknown dimension; use): {', '.join(DIMENSIONS)}"
        )
    return tuple(dict.fromkeys(by))


def _month_count(
    month: str,
    base: str,
    target: float | None,
    faxes: Sequence[_Heap],
    before: Sequence[_Heap],
    excluded: dict[str, int],
    provisional: bool,
    dimensions: Sequence[str],
    *,
    begun: bool,
) -> MonthCount:
    total = _groups(faxes, before, None).get("", Group(Count(0, None), Count(0, None)))
    by = {dimension: _groups(faxes, before, dimension) for dimension in dimensions}
    return MonthCount(month, base, target, total.arrivals, total.paper, excluded, provisional, by, begun)


def _groups(faxes: Sequence[_Heap], before: Sequence[_Heap], dimension: str | None) -> dict[str, Group]:
    """Counts by value of ``dimension``; None: all in one, under an empty value."""
    comparable = bool(before) and (dimension is None or dimension in _IN_BASELINE)
    arrivals, paper = _sums(faxes, dimension)
    base_arrivals, base_paper = _sums(before, dimension) if comparable else (Counter[str](), Counter[str]())
    values = set(arrivals) | set(paper) | set(base_arrivals) | set(base_paper)
    ordered = sorted(values, key=lambda value: (-arrivals[value], -paper[value], value))
    return {
        value: Group(
            Count(arrivals[value], base_arrivals[value] if comparable else None),
            Count(paper[value], base_paper[value] if comparable else None),
        )
        for value in ordered
    }


def _sums(heaps: Iterable[_Heap], dimension: str | None) -> tuple[Counter[str], Counter[str]]:
    arrivals, paper = Counter[str](), Counter[str]()
    for heap in heaps:
        value = heap.traits.get(dimension, "") if dimension else ""
        arrivals[value] += heap.arrivals
        paper[value] += heap.paper
    return arrivals, paper


def _of_gateway(row: Arrivals, organisation: Organisation, who: _Senders) -> _Heap:
    """A fax that came in electronically: an arrival, but no paper fax."""
    line = organisation.line(row.line)
    department = row.department or (line.department if line else "")
    traits = {
        **_placed(organisation, "", department),
        "purpose": row.document_type or "",
        "sender": who.called(row.caller or "", row.institution),
        "machine": (line.machine if line else "") or row.line,
        "line": row.line,
    }
    return _Heap(row.month, row.count, 0, traits)


def _of_register(row: RegisterEntry, organisation: Organisation, who: _Senders) -> _Heap:
    """A fax over a paper machine: paper either way, an arrival when it came in."""
    called = row.number.startswith("+")  # E.164 since the import: a sender is one whatever way the fax came
    traits = {
        **_placed(organisation, row.bureau, row.department),
        "purpose": row.purpose,
        "sender": who.called(row.number) if called else row.counterpart or row.number,
        "machine": row.machine,
    }
    return _Heap(row.month, int(row.direction == "received"), 1, traits)


def _of_baseline(row: Baseline, organisation: Organisation) -> _Heap:
    arrivals = row.count if row.direction == "received" else 0
    return _Heap(row.month, arrivals, row.count, _placed(organisation, row.bureau, row.department))


def _placed(organisation: Organisation, bureau: str, department: str) -> dict[str, str]:
    """Bureau and department by the configuration's names, so that a table may name a department by id or name."""
    known = organisation.department(department) or next(
        (one for one in organisation.departments if department and one.name == department), None
    )
    return {"bureau": bureau or (known.bureau if known else ""), "department": known.id if known else department}


# ---- for scripts and spreadsheets -------------------------------------------------------------------


def as_json(report: Report) -> dict[str, Any]:
    """The report in the shape that users' scripts hold on to; keys are only ever added."""
    return {"rule": report.rule, "months": [_month_json(month) for month in report.months]}


def _month_json(month: MonthCount) -> dict[str, Any]:
    return {
        "month": month.month,
        "base_month": month.base_month,
        "target": month.target,
        "arrivals": _count_json(month.arrivals),
        "paper": _count_json(month.paper),
        "excluded": dict(month.excluded),
        "provisional": month.provisional,
        "recorded": month.recorded,
        "by": {
            dimension: {
                value: {"arrivals": _count_json(group.arrivals), "paper": _count_json(group.paper)}
                for value, group in groups.items()
            }
            for dimension, groups in month.by.items()
        },
    }


def _count_json(count: Count) -> dict[str, int | float | None]:
    return {"count": count.count, "base": count.base, "reduction": count.reduction}


def as_csv(report: Report) -> str:
    """One row a month, then one a value of each dimension (RFC 4180); an empty cell is an unknown figure."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ["month", "base_month", "target", "arrivals_count", "arrivals_base", "arrivals_reduction",
         "paper_count", "paper_base", "paper_reduction", "duplicates", "notices", "parts", "provisional", "rule",
         "dimension", "value", "arrivals_recorded", "paper_recorded"]
    )  # fmt: skip
    for month in report.months:
        head = [month.month, month.base_month, month.target]
        state = [_bool(month.provisional), report.rule]
        recorded = [_bool(month.recorded["arrivals"]), _bool(month.recorded["paper"])]
        left_out = [month.excluded.get(why, 0) for why in ("duplicates", "notices", "parts")]
        writer.writerow([*head, *_cells(month.arrivals), *_cells(month.paper), *left_out, *state, "", "", *recorded])
        for dimension, groups in month.by.items():
            for value, group in groups.items():
                figures = [*_cells(group.arrivals), *_cells(group.paper), "", "", ""]
                writer.writerow([*head, *figures, *state, dimension, _harmless(value), *recorded])
    return out.getvalue()


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _cells(count: Count) -> list[int | float | None]:
    return [count.count, count.base, count.reduction]


def _harmless(value: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection); telephone numbers stay as they are."""
    formula = value[:1] in ("=", "@", "-", "+", "\t", "\r") and not re.fullmatch(r"\+[0-9]+", value)
    return f"'{value}" if formula else value


# ---- lines that have fallen silent ------------------------------------------------------------------


def silent_lines(
    store: Store, organisation: Organisation, moment: datetime, after: timedelta = timedelta(hours=72)
) -> tuple[SilentLine, ...]:
    """Lines that brought nothing for longer than ``after``, counted over Monday to Friday, or never anything.

    A silent machine must not look like a success. Weekends do not count because most lines rest then; public holidays
    do, so that after a row of them a line may be named that only rested.
    """
    last_of = store.ledger.last_of_lines()
    return tuple(
        SilentLine(line.id, line.machine or line.number or line.id, last_of.get(line.id))
        for line in organisation.lines
        if (last := last_of.get(line.id)) is None or _over_weekdays(last, moment) > after
    )


def _over_weekdays(since: datetime, until: datetime) -> timedelta:
    """The time from ``since`` to ``until`` that lies on Monday to Friday in Tokyo (which knows no summer time)."""
    start, end = since.astimezone(TOKYO), until.astimezone(TOKYO)
    weeks = max(0, (end - start) // timedelta(weeks=1))
    start += timedelta(weeks=weeks)
    total = timedelta(days=5) * weeks
    while start < end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if start.weekday() < 5:
            total += min(midnight, end) - start
        start = midnight
    return total


# ---- tables handed in -------------------------------------------------------------------------------


def read_baseline(text: str) -> tuple[Baseline, ...]:
    """The base year's counts; header ``month,bureau,department,direction,count``, other columns go to ``extra``.

    Raises :class:`BadTable` naming every bad line; then nothing is taken.
    """
    reading = Mistakes()
    rows: list[Baseline] = []
    seen: dict[tuple[str, str, str, str], int] = {}
    for line, cells in rows_of(text, BASELINE_COLUMNS, reading):
        month, direction = _month(cells["month"]), _direction(cells["direction"])
        count = _whole(cells["count"])
        if month is None:
            reading.wrong(line, f"月「{cells['month'][:20]}」が読めません。2019-11 のように書いてください (month)")
        if direction is None:
            reading.wrong(line, f"送受「{cells['direction'][:20]}」は sent か received です (direction)")
        if count is None:
            reading.wrong(line, f"件数「{cells['count'][:20]}」は0以上の整数です (count)")
        if month is None or direction is None or count is None:
            continue
        key = (month, cells["bureau"], cells["department"], direction)
        if key in seen:
            reading.wrong(line, f"{seen[key]}行目と同じ月・局・部署・送受です (the same key as line {seen[key]})")
            continue
        seen[key] = line
        extra = {name: value for name, value in cells.items() if name not in BASELINE_COLUMNS and value}
        rows.append(
            Baseline(month=key[0], bureau=key[1], department=key[2], direction=key[3], count=count, extra=extra)
        )
    reading.done()
    return tuple(rows)


def read_register(text: str) -> tuple[RegisterEntry, ...]:
    """Faxes of the register (使用簿), one a line; header as in :data:`REGISTER_COLUMNS`, other columns are left.

    The same file twice gives the same keys: equal rows are told apart by how many equal ones stand before them.
    Raises :class:`BadTable` naming every bad line; then nothing is taken.
    """
    reading = Mistakes()
    rows: list[RegisterEntry] = []
    equal: Counter[str] = Counter()
    for line, cells in rows_of(text, REGISTER_COLUMNS, reading):
        date, direction = _date(cells["date"]), _direction(cells["direction"])
        pages = _whole(cells["pages"] or "0")
        if date is None:
            reading.wrong(line, f"日付「{cells['date'][:20]}」が読めません。2026-11-02 のように書いてください (date)")
        if direction is None:
            reading.wrong(line, f"送受「{cells['direction'][:20]}」は sent か received です (direction)")
        if pages is None:
            reading.wrong(line, f"枚数「{cells['pages'][:20]}」は0以上の整数です (pages)")
        if date is None or direction is None or pages is None:
            continue
        read = {name: cells[name] for name in REGISTER_COLUMNS} | {"date": date, "direction": direction}
        likeness = _likeness(read, pages)
        key = hashlib.sha256(f"{likeness}\n{equal[likeness]}".encode()).hexdigest()
        equal[likeness] += 1
        written = {name: value for name, value in read.items() if name not in ("pages", "number")}
        called = number.parse(read["number"])
        rows.append(
            RegisterEntry(
                key=key, month=date[:7], number=called.e164 if called else read["number"], pages=pages, **written
            )
        )
    reading.done()
    return tuple(rows)


def _likeness(row: Mapping[str, str], pages: int) -> str:
    """A row as its key sees it: width, spaces and the punctuation of numbers make no other row."""
    plain = {name: " ".join(unicodedata.normalize("NFKC", value).split()) for name, value in row.items()}
    plain["number"] = re.sub(r"[^0-9A-Za-z+]", "", plain["number"])
    return "\x1f".join([*(plain[name] for name in REGISTER_COLUMNS if name != "pages"), str(pages)])


def _whole(cell: str) -> int | None:
    plain = unicodedata.normalize("NFKC", cell).replace(" ", "")
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", plain):
        plain = plain.replace(",", "")
    return int(plain) if re.fullmatch(r"[0-9]{1,9}", plain) else None


def _direction(cell: str) -> str | None:
    return _DIRECTIONS.get(unicodedata.normalize("NFKC", cell).lower())


def _month(cell: str) -> str | None:
    """``2019-11`` from that, 2019/11, 2019年11月, 令和元年11月, or the first day that Excel makes of a month."""
    plain = unicodedata.normalize("NFKC", cell)
    if match := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})", plain):
        plain = f"{match[1]}-{match[2]}-1"
    elif plain.endswith("月"):
        plain += "1日"
    date = _date(plain)
    return date[:7] if date and date.endswith("-01") else None


def _date(cell: str) -> str | None:
    """ISO 8601 from that or from a Japanese date, a time or a day of the week behind it left off."""
    plain = unicodedata.normalize("NFKC", cell).strip()
    plain = re.sub(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?$|\([月火水木金土日]\)$", "", plain).strip()
    plain = re.sub(r"^([0-9]{4})([0-9]{2})([0-9]{2})$", r"\1-\2-\3", plain)
    written = dates.parse(plain)
    whole = written is not None and len(written.raw) == len(plain)  # nothing else in the cell
    return written.date.isoformat() if written and whole else None
