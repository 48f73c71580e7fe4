"""A form laid out as labels and what stands beside and below them, whoever drew it.

With boxes a value is sought behind its label in the same run, then right of it up to the next label, then below it; in
text without boxes, behind it and on the next lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from routing import printed
from routing.facts import Box, Mark, PageFacts
from routing.fold import fold, trace
from routing.labels import INSTITUTION, PATIENT, QUESTIONS, Label, labels_in, upright
from routing.layout import PageLine, PageLines, lay_out

_NOWHERE: Box = (0, 0, 0, 0)
_ACROSS = 0.3
"""What a step to the right counts beside one down, where the question of an option is sought."""
_ONE_ROW = frozenset({"sex", "sex_age", "born"})
"""Questions whose options stand beside their label or right below it."""
_LABEL_LOST = 0.8
"""Likeness of a label that was not read: its options alone tell that it is there."""
_HIGHEST_LETTER = 60
"""Pixels; what is higher is a label set upright."""
_UPRIGHT = 1.6
"""How much higher than wide a run is that is set upright."""
_MOST_LABELS = 300
"""Of a fax; a form of one page has up to 60."""
_BELOW = 3
"""Lines below a label that may hold its value."""
# What belongs to a label and not to its value: (※), (0歳は月齢), the colon.
_ANNOTATION = re.compile(
    r"^(?:[/／・]\s?[^\W\d]{1,6}[数名日別](?=$|[\s:：])|[\s:：・)）\]】※*＊_＿.、，,]+|[(（][^()（）]{0,20}(?:※|月齢|該当|記入|記載|のみ|検案)[^()（）]{0,20}[)）]|[(（]\s*[)）])+"
)
_TRAIL = " \u3000:：([（【"


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be a label's value, and where it stands."""

    text: str
    page: int
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A label of a page with everything that may be its value, the likeliest first."""

    key: str
    page: int
    box: Box
    """Of the label."""
    likeness: float
    beside: tuple[Answer, ...]
    """Behind the label in its own run, then the runs right of it."""
    below: tuple[Answer, ...]
    marks: tuple[Mark, ...]
    """The options printed beside and right below it."""
    asked: tuple[Mark, ...]
    """The options of which it is the nearest label: those of a question with rows of boxes."""
    masked: Box | None
    """The black bar where the value should stand."""
    grouped: bool = False
    """Whether what stands beside it is one of several lines in a column: options, most likely."""

    def answers(self) -> Iterator[Answer]:
        """The lines of one cell as one; then one by one; then what is beside it and what is below it run together."""
        if len(self.beside) > 1 and stacked(self.beside):
            yield _together(self.beside)
        yield from self.beside
        if len(self.beside) > 1:
            yield _together(self.beside)
        yield from self.below
        if len(self.below) > 1:
            yield _together(self.below)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line with its labels."""

    line: PageLine
    labels: tuple[Label, ...]

    @property
    def head(self) -> str:
        """What stands before the first label: the value of another line's label, perhaps."""
        return self.line.raw if not self.labels else self.line.raw[: trace(self.line.raw).places[self.labels[0].start]]

    @property
    def opens(self) -> bool:
        """Whether it begins with a label."""
        return bool(self.labels) and not re.search(r"[^\W\d_]", self.head)


def entries(pages: Sequence[PageFacts]) -> tuple[Entry, ...]:
    """The labels of all readable pages in reading order; ambiguous ones are named by the part that they stand in."""
    facts = {page.number: page for page in pages}
    found: list[Entry] = []
    for page in lay_out(pages):
        if len(found) < _MOST_LABELS:
            found += _of_page(page, facts[page.number], _MOST_LABELS - len(found))
    return tuple(_owned(found))


def _owned(found: Sequence[Entry]) -> Iterator[Entry]:
    """氏名, 住所 and 電話 are those of whom the last clear label spoke of; nobody's, an institution's at the head."""
    owner = ""
    for entry in found:
        owner = "patient" if entry.key in PATIENT else "institution" if entry.key in INSTITUTION else owner
        key = entry.key
        if key == "name":
            key = "patient_name" if owner != "institution" else "other"
            owner = owner or "patient"
        elif key in ("address", "phone"):
            key = f"{owner or 'institution'}_{key}"
        yield replace(entry, key=key)


def _of_page(page: PageLines, facts: PageFacts, most: int) -> Iterator[Entry]:
    found = list(islice(_beside(page, facts), most))
    asked: dict[int, list[Mark]] = {}
    lost: dict[str, list[Mark]] = {}
    others = [*(mark.box for mark in facts.marks), *(line.box for line in page.lines)]
    for mark in facts.marks[:_MOST_LABELS]:
        far = [_from(entry, mark.box, others) for entry in found]
        nearest = far.index(min(far)) if far and min(far) < math.inf else None
        known = printed.nearest(mark.text)
        if known is not None and (nearest is None or found[nearest].key in _not_asking(known.question)):
            same = [n for n, entry in enumerate(found) if entry.key == known.question]
            nearest = min(same, key=lambda n: _apart(found[n].box, mark.box), default=None)
            if nearest is None:
                lost.setdefault(known.question, []).append(mark)
        if nearest is not None:
            asked.setdefault(nearest, []).append(mark)
    for n, entry in enumerate(found):
        yield replace(entry, asked=tuple(asked.get(n, ())))
    for key, marks in lost.items():
        yield Entry(key, page.number, marks[0].box, _LABEL_LOST, (), (), (), tuple(marks), None)


def _not_asking(question: str) -> frozenset[str]:
    """The questions that a known option of another is none of; a symptom may also be a complication."""
    return QUESTIONS - {question} - ({"other"} if question == "symptoms" else set())


def _from(entry: Entry, mark: Box, others: Sequence[Box]) -> float:
    """How far an option is from a question; endless from what asks nothing."""
    height = max(1, entry.box[3] - entry.box[1])
    if entry.key not in QUESTIONS or (entry.key in _ONE_ROW and _apart(entry.box, mark) > 1.5 * height):
        return math.inf
    return _distance(entry.box, mark, others)


def _apart(label: Box, mark: Box) -> int:
    """How far apart in height."""
    return max(label[1] - mark[3], mark[1] - label[3], 0)


def _distance(label: Box, mark: Box, others: Sequence[Box]) -> float:
    """How far an option is from a label left of it or above it; endless for any other.

    A label may stand lower than its option only in a column of its own, left of everything in between.
    """
    height = min(max(1, label[3] - label[1]), _HIGHEST_LETTER)
    above, under = label[1] - mark[3], mark[1] - label[3]
    if above > 0 and any(
        mark[1] <= other[1] and other[3] <= label[1] + 2 and other[0] < label[2] - height for other in others
    ):
        return math.inf
    across = _ACROSS * max(0, mark[0] - label[2])
    if label[2] - height <= mark[0]:  # left of it; the label of a group of rows stands in the middle of them
        return max(above, under, 0) + across
    if label[0] - height <= mark[0] and under > -height / 2:
        return max(under, 0) + 1
    return math.inf


def _beside(page: PageLines, facts: PageFacts) -> Iterator[Entry]:
    rows = [row for line in page.lines if (row := _Row(line, labels_in(line.raw))).labels or not line.joined]
    rows += _upright(page)
    for at, row in enumerate(rows):
        for n, label in enumerate(row.labels):
            last = n == len(row.labels) - 1
            inside = _inside(row, n)
            placed = row.line.box != _NOWHERE
            right = _right(rows, row, facts.skew) if last and placed else []
            beside = [*([inside] if inside else []), *(_answer(other) for other in right)]
            if not last:
                below: list[_Row] = []
            else:
                below = _under(rows, row, facts.skew) if placed else _next(rows, at)
            area = (_of_label(row, label), _bound(rows, row, facts.skew), facts.skew) if placed else None
            yield Entry(
                label.key,
                page.number,
                _of_label(row, label),
                label.likeness,
                tuple(answer for answer in beside if answer.text),
                tuple(answer for answer in map(_answer, below) if answer.text),
                tuple(mark for mark in facts.marks if area and _in_reach(mark.box, *area)),
                (),
                next((box for box in facts.masked if area and _in_reach(box, *area)), None) if last else None,
                grouped=bool(right) and _in_a_column(rows, row, right, facts.skew),
            )


def _upright(page: PageLines) -> list[_Row]:
    """Labels set upright in a narrow column, read as one high run or letter by letter."""
    small = [line for line in page.lines if line.box != _NOWHERE and not line.joined and len(line.folded) <= 2]
    columns: list[list[PageLine]] = []
    for line in sorted(small, key=lambda line: line.box[1]):
        onto = next((column for column in columns if _follows(line.box, column[-1].box)), None)
        if onto is None:
            columns.append([line])
        else:
            onto.append(line)
    high = [[line] for line in page.lines if line.box[3] - line.box[1] > _UPRIGHT * (line.box[2] - line.box[0])]
    runs = [_run_together(column) for column in (*high, *(column for column in columns if len(column) > 1))]
    return [_Row(run, (label,)) for run in runs if (label := upright(run.raw)) is not None and not labels_in(run.raw)]


def _follows(box: Box, above: Box) -> bool:
    """Whether a letter stands right below another."""
    wide = max(box[2] - box[0], above[2] - above[0])
    across = abs((box[0] + box[2]) - (above[0] + above[2])) / 2
    return across < 0.4 * wide and -0.3 * wide < box[1] - above[3] < 0.8 * wide


def _run_together(column: Sequence[PageLine]) -> PageLine:
    raw, boxes = "".join(line.raw for line in column), [line.box for line in column]
    around = (min(b[0] for b in boxes), boxes[0][1], max(b[2] for b in boxes), boxes[-1][3])
    first = column[0]
    return replace(first, raw=raw, folded=fold(raw), box=around, confidence=min(line.confidence for line in column))


def _of_label(row: _Row, label: Label) -> Box:
    """The part of a line's box in which the label stands, all signs taken for equally wide."""
    x0, y0, x1, y1 = row.line.box
    sign = (x1 - x0) / max(1, len(row.line.folded))
    return round(x0 + label.start * sign), y0, round(x0 + label.end * sign), y1


def _inside(row: _Row, n: int) -> Answer | None:
    """The words behind a label up to the next one of the same line."""
    line, label = row.line, row.labels[n]
    back = trace(line.raw)
    _, begin = back.original(0, label.end)
    end = back.places[row.labels[n + 1].start] if n + 1 < len(row.labels) else len(line.raw)
    x0, y0, x1, y1 = line.box
    sign = (x1 - x0) / max(1, len(line.raw))
    words = _ANNOTATION.sub("", line.raw[begin:end])
    begin = end - len(words)
    place = (round(x0 + begin * sign), y0, round(x0 + end * sign), y1)
    words = words.rstrip(_TRAIL)
    words = re.sub(r"[\s　]+(?:\d{1,2}[\s.]*)?$", "", words) if n + 1 < len(row.labels) else words
    return Answer(words, line.page, place, line.sure_of(words)) if re.search(r"\w", words) else None


def _answer(row: _Row) -> Answer:
    text = _ANNOTATION.sub("", row.head).strip(_TRAIL)
    return Answer(text, row.line.page, row.line.box, row.line.sure_of(text))


def _next(rows: Sequence[_Row], at: int) -> list[_Row]:
    """Text without boxes: the next lines until a label."""
    following = []
    for row in rows[at + 1 : at + 1 + _BELOW]:
        if row.labels:
            break
        following.append(row)
    return following


# --- places


def _right(rows: Sequence[_Row], label: _Row, skew: float) -> list[_Row]:
    """The runs right of a label on its row, up to the next label."""
    _, y0, x1, y1 = label.line.box
    height = max(1, y1 - y0)
    beside = []
    for row in rows:
        a0, b0, _, b1 = row.line.box
        if row is label or a0 < x1 - height / 2:
            continue
        climbed = (a0 - x1) * math.tan(math.radians(skew))
        if min(b1, y1 - climbed) - max(b0, y0 - climbed) >= 0.3 * min(height, b1 - b0):
            beside.append(row)
    bound = min((row.line.box[0] for row in beside if row.labels and row.opens), default=100_000)
    taken = [row for row in beside if row.line.box[0] < bound]
    return sorted(taken, key=lambda row: (_step(row.line.box, height), row.line.box[0]))[:4]


def _step(box: Box, height: int) -> int:
    """Which of the lines of a cell, roughly."""
    return round((box[1] + box[3]) / 2 / (0.8 * height))


def _in_a_column(rows: Sequence[_Row], label: _Row, right: Sequence[_Row], skew: float) -> bool:
    """Whether lines with nothing beside them in the label's column stand right above or below its value."""
    x0, y0, _, y1 = right[0].line.box
    height = max(1, y1 - y0)
    near = [
        row
        for row in rows
        if not row.labels and row not in right and abs(row.line.box[0] - x0) < 1.5 * height
        and (abs(row.line.box[1] - y1) < 1.5 * height or abs(y0 - row.line.box[3]) < 1.5 * height)
    ]  # fmt: skip
    column = [row for row in rows if abs(row.line.box[0] - label.line.box[0]) < 2 * height]
    return any(not any(_level(row.line.box, other.line.box, skew) for other in column) for row in near[:4])


def _bound(rows: Sequence[_Row], label: _Row, skew: float) -> int:
    """How far right a label's cell may reach: to the next label of its row."""
    x1 = label.line.box[2]
    level = [
        row.line.box[0]
        for row in rows
        if row.opens and row is not label and row.line.box[0] > x1 and _level(label.line.box, row.line.box, skew)
    ]
    return min(level, default=100_000)


def _level(one: Box, other: Box, skew: float) -> bool:
    """Whether two boxes stand on one row of a page that climbs by ``skew`` degrees."""
    drop = ((other[0] + other[2]) - (one[0] + one[2])) / 2 * math.tan(math.radians(skew))
    middle = (other[1] + other[3]) / 2 + drop
    return one[1] <= middle <= one[3]


def _under(rows: Sequence[_Row], label: _Row, skew: float) -> list[_Row]:
    """The runs below a label in its own column, until another label."""
    x0, y0, x1, y1 = label.line.box
    height = max(1, y1 - y0)
    reach = min(_bound(rows, label, skew), x1 + 8 * height)
    column = [
        row
        for row in rows
        if row is not label
        and y1 - height / 2 <= row.line.box[1] <= y1 + 2.4 * height
        and x0 - height <= row.line.box[0] < reach
    ]
    column.sort(key=lambda row: (row.line.box[1], row.line.box[0]))
    below: list[_Row] = []
    for row in column[: 2 * _BELOW]:
        if row.labels:
            break
        if any(
            _level(other.line.box, row.line.box, skew) and other.line.box[2] <= row.line.box[0] + height
            for other in rows
            if other.opens and other is not label
        ):
            continue  # the value of a label on its own row
        below.append(row)
    return below[:_BELOW]  # fmt: skip


def _in_reach(place: Box, label: Box, bound: int, skew: float) -> bool:
    """Whether an option or a bar stands right of a label on its row, or right below it, before the next label."""
    height = max(1, label[3] - label[1])
    if place[0] >= bound:
        return False
    middle = (place[1] + place[3]) / 2
    if place[0] >= label[2] - height:
        level = (label[1] + label[3]) / 2 - (place[0] - label[2]) * math.tan(math.radians(skew))
        if abs(middle - level) <= 0.5 * height + 0.25 * (place[3] - place[1]):
            return True
    return place[0] >= label[0] - height and label[3] - height / 2 <= middle <= label[3] + 2 * height


def stacked(answers: Sequence[Answer]) -> bool:
    """Whether they stand one below the other."""
    return all(
        upper.box[1] < lower.box[1] and min(upper.box[2], lower.box[2]) > max(upper.box[0], lower.box[0])
        for upper, lower in pairwise(answers)
    )


def _together(answers: Sequence[Answer]) -> Answer:
    boxes = [answer.box for answer in answers if answer.box != _NOWHERE]
    around = (
        (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
        if boxes
        else _NOWHERE
    )
    return Answer(
        " ".join(answer.text for answer in answers), answers[0].page, around, min(a.confidence for a in answers)
    )
