"""Values found on forms: by the label that stands left of or above them, with the place to show.

Names of diseases come from the list of notifiable diseases or not at all; dates and numbers only when they are ones.
Names of patients are not extracted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from routing import dates, number
from routing.disease import Diseases, Likeness
from routing.facts import Field, PageFacts
from routing.fold import fold, trace
from routing.layout import PageLine, PageLines, lay_out
from routing.phrases import nearly

_DISEASE_LABELS = (
    "感染症名",
    "感染症の名称",
    "疾患名",
    "疾病名",
    "病名",
    "診断名",
    "届出疾患",
    "疾病の名称",
    "感染症の種類",
)
_DIAGNOSIS_LABELS = ("診断(検案)年月日", "診断(検案)した年月日", "診断年月日", "診断した年月日", "診断日", "検案年月日")
_PHONE_LABELS = ("電話番号", "連絡先電話", "電話", "tel", "連絡先")
_INSTITUTION_END = ("当該者氏名", "当該者住所", "当該者", "患者氏名", "患者住所")
_TITLE = fold("発生届")
_LABEL_LINE = 40  # a longer line is a sentence
_OTHER_LABELS = ("初診", "発病", "報告", "生年", "推定", "死亡", "感染した")
_BELOW = 3  # lines below a label that may hold its value
_HIDDEN = r"(?:黒塗り?|マスキング|墨消し|マスク処理)"
_MASKED = re.compile(  # said of this fax, not asked of its sender
    rf"[■█▇]{{3,}}|[(（]\s*{_HIDDEN}\s*(?:済み?)?\s*[)）]|{_HIDDEN}(?:済|しました|しております|してあります|しています)"
)


def extract(pages: Sequence[PageFacts], diseases: Diseases) -> dict[str, Field]:
    """The fields found of a 発生届: ``disease``, ``diagnosed`` (ISO 8601), ``institution_phone`` (E.164).

    Boxes are all zero where the pages have no words with boxes.
    """
    laid = lay_out(pages)
    found = {
        "disease": find_disease(laid, diseases),
        "diagnosed": _diagnosed(laid),
        "institution_phone": _institution_phone(laid),
    }
    return {name: field for name, field in found.items() if field is not None}


def masked(pages: Sequence[PageFacts]) -> bool:
    """Whether something is blacked out, or the text says so (黒塗り, ■■■); being told to do so does not count."""
    if any(page.masked for page in pages):
        return True
    return any(_MASKED.search(line.raw) for page in lay_out(pages) for line in page.lines)


def find_disease(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    """The disease that a notification names: in its title, else by its label, else the only one that its text names."""
    return _in_title(pages, diseases) or _labelled_disease(pages, diseases) or _only_mentioned(pages, diseases)


def diagnosis_date(fields: dict[str, Field]) -> date | None:
    """The diagnosis date among extracted fields, or None."""
    field = fields.get("diagnosed")
    return date.fromisoformat(field.value) if field is not None else None


# --- disease


def _in_title(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    """麻しん発生届: what stands before 発生届 in its line, or in the line above it."""
    for page in pages:
        for n, line in enumerate(page.lines):
            at = line.folded.find(_TITLE)
            if at < 0 or len(line.folded) > 60 or not line.title:
                continue
            above = page.lines[n - 1].folded if n and at == 0 and len(page.lines[n - 1].folded) <= 30 else ""
            for words in (line.folded[:at], above):
                likeness = diseases.nearest(words) if words else None
                if likeness is not None and likeness.disease.every_case:
                    return _disease_field(likeness, line)
    return None


def _labelled_disease(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    for line, value in _values(pages, _DISEASE_LABELS):
        likeness = diseases.nearest(value)
        if likeness is not None:
            return _disease_field(likeness, line, value)
    return None


def _only_mentioned(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    """A printed form may name several diseases (vaccines, complications): then none is taken."""
    met: dict[str, tuple[Likeness, PageLine]] = {}
    for page in pages:
        for line in page.lines:
            for likeness in diseases.mentioned(line.raw):
                if likeness.disease.every_case and "ワクチン" not in line.raw and "予防接種" not in line.raw:
                    met.setdefault(likeness.disease.id, (likeness, line))
    if len(met) != 1:
        return None
    likeness, line = next(iter(met.values()))
    return _disease_field(likeness, line, weight=0.8)


def _disease_field(likeness: Likeness, line: PageLine, raw: str = "", weight: float = 1.0) -> Field:
    confidence = round(likeness.score * weight * line.sure_of(likeness.disease.name), 3)
    return Field(likeness.disease.name, raw or line.raw.strip(), line.page, line.box, confidence)


# --- dates and numbers


def _diagnosed(pages: Sequence[PageLines]) -> Field | None:
    for line, value in _values(pages, _DIAGNOSIS_LABELS):
        written = dates.parse(value)
        if written is not None:
            sure = (0.7 if written.warning else 1.0) * line.sure_of(written.raw)
            return Field(written.date.isoformat(), written.raw, line.page, line.box, round(sure, 3))
    return None


def _institution_phone(pages: Sequence[PageLines]) -> Field | None:
    """The institution's telephone stands before the patient's part of the form; after it, it is the patient's."""
    head = []
    for page in pages[:1]:
        for line in page.lines:
            if any(fold(label) in line.folded for label in _INSTITUTION_END):
                break
            head.append(line)
    if not head or len(head) == len(pages[0].lines):
        return None
    part = PageLines(head[0].page, tuple(head), "")
    for line, value in _values([part], _PHONE_LABELS):
        numbers = number.find(value)
        if numbers:
            sure = round(line.sure_of(numbers[0].printed), 3)
            return Field(numbers[0].e164, numbers[0].printed, line.page, line.box, sure)
    return None


# --- labels and their values


def _values(pages: Sequence[PageLines], labels: Sequence[str]) -> Iterator[tuple[PageLine, str]]:
    """The candidates for the value of ``labels``, best first, each with its line.

    Every place where a label stands exactly goes before those where it has a sign or two misread; of each, the rest of
    its line goes before what stands beside and below it.
    """
    folded = [fold(label) for label in labels]
    for label_end in (_exact_end, _likely_end):
        for page in pages:
            for n, line in enumerate(page.lines):
                end = label_end(line.folded, folded)
                if end is None:
                    continue
                rest = _behind(line, end)
                if rest:
                    yield line, rest
                for other in _near(page.lines, n):
                    yield other, other.raw.strip()


def _exact_end(line: str, labels: Sequence[str]) -> int | None:
    """Where a label ends in a folded line, None without one."""
    return next((at + len(label) for label in labels if (at := line.find(label)) >= 0), None)


def _likely_end(line: str, labels: Sequence[str]) -> int | None:
    """The same for a damaged label (珍断(検案)年日), unless the line has another label of the form."""
    if len(line) > _LABEL_LINE or any(other in line for other in _OTHER_LABELS):
        return None
    near = [place for label in labels if (place := nearly(label, line)) is not None]
    return max(near, key=lambda place: place[2])[1] if near else None


def _behind(line: PageLine, end: int) -> str:
    """The original words behind a label that ends at ``end`` of the folded line."""
    _, place = trace(line.raw).original(0, end)
    return line.raw[place:].strip(" \u3000:：・)）]】")


def _near(lines: Sequence[PageLine], n: int) -> list[PageLine]:
    """The lines that may hold the value: right of the label on its row, then below it; without boxes the next ones."""
    label = lines[n]
    if label.box == (0, 0, 0, 0):
        return list(lines[n + 1 : n + 1 + _BELOW])
    x0, y0, x1, y1 = label.box
    middle, height = (y0 + y1) / 2, max(1, y1 - y0)
    others = [line for line in lines if line is not label]
    right = [o for o in others if o.box[0] >= x1 - height and o.box[1] <= middle <= o.box[3]]
    below = [o for o in others if y1 - height / 2 <= o.box[1] <= y1 + 2 * height and o.box[0] < x1 and o.box[2] > x0]
    return sorted(right, key=lambda o: o.box[0])[:2] + sorted(below, key=lambda o: o.box[1])[:1]
