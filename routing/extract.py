"""Values found on forms: by the label that stands left of or above them, with the place to show.

Names of diseases come from the list of notifiable diseases or not at all; dates and numbers only when they are ones. A
patient's name and address only from forms that have them by law (:mod:`routing.personal`). What is blacked out is said
to be so: it is there, and a person has to ask for it by telephone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from routing import printed, values
from routing.disease import Diseases, Likeness
from routing.facts import Box, Field, Mark, PageFacts
from routing.fold import fold, trace
from routing.form import Answer, Entry, entries, stacked
from routing.labels import INSTITUTION, PATIENT, labels_in
from routing.layout import PageLine, PageLines, lay_out
from routing.personal import NAMELESS, named_by_law
from routing.phrases import NOTIFICATIONS, nearly
from routing.values import CASE_TYPES, ERAS, SEXES, Value

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
    "疑われる感染症",
    "原因となった疾患",
)
_TITLE = fold("発生届")
_LABEL_LINE = 40  # a longer line is a sentence
_OTHER_LABELS = ("初診", "発病", "報告", "生年", "推定", "死亡", "感染した")
_BELOW = 3  # lines below a label that may hold its value
_HIDDEN = r"(?:黒塗り?|マスキング|墨消し|マスク処理)"
_LABEL_LOST = 0.8
_MASKED = re.compile(  # said of this fax, not asked of its sender
    rf"[■█▇]{{3,}}|[(（]\s*{_HIDDEN}\s*(?:済み?)?\s*[)）]|{_HIDDEN}(?:済|しました|しております|してあります|しています)"
)


def extract(
    pages: Sequence[PageFacts],
    diseases: Diseases,
    document_type: str | None = "DISEASE_IMMEDIATE",
    received: date | None = None,
) -> dict[str, Field]:
    """The fields found of a notification or its kin, by name; none for a class that is no form of them.

    ``disease`` and its ``category``; ``diagnosed`` and the other days (ISO 8601); ``institution_phone`` (E.164);
    ``age`` in years or ``8か月``; ``sex``, ``case_type`` and other options by tick or circle; the rest as it stands.
    ``received`` is the day of reception, by which a day without its year and an era without its circle are
    understood. Boxes are all zero where the pages have no words with boxes.
    """
    keys = _kin(document_type)
    if not keys:
        return {}
    found: dict[str, Field] = {}
    disease = find_disease(lay_out(pages), diseases) if "disease" in keys else None
    known = diseases.named(disease.value) if disease is not None else None
    if disease is not None:
        found["disease"] = disease
    if known is not None and disease is not None and document_type in NOTIFICATIONS:
        found["category"] = Field(known.category, disease.raw, disease.page, disease.box, disease.confidence)
    if named_by_law(document_type, known):
        keys |= _OF_A_PERSON
    form = _Form(
        tuple(_placed(entries(pages), document_type)), received, [(p.number, m) for p in pages for m in p.marks]
    )
    found |= {key: field for key, read in _READERS.items() if key in keys and (field := read(form, key)) is not None}
    return found | _headed(form, lay_out(pages[:1]), keys - found.keys())


def masked(pages: Sequence[PageFacts]) -> bool:
    """Whether something is blacked out, or the text says so (黒塗り, ■■■); being told to do so does not count."""
    if any(page.masked for page in pages):
        return True
    return any(_MASKED.search(line.raw) for page in lay_out(pages) for line in page.lines)


def find_disease(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    """The disease that a notification names: in its title, else by its label, else the only one that its text names."""
    return _in_title(pages, diseases) or _labelled_disease(pages, diseases) or _only_mentioned(pages, diseases)


def diagnosis_date(fields: dict[str, Field]) -> date | None:
    """The diagnosis date among extracted fields, or None: also where it is blacked out."""
    field = fields.get("diagnosed")
    return date.fromisoformat(field.value) if field is not None and not field.masked else None


# --- disease


def _in_title(pages: Sequence[PageLines], diseases: Diseases) -> Field | None:
    """麻しん発生届: what stands before 発生届 in its line, or in the line above it."""
    for page in pages:
        for n, line in enumerate(page.lines):
            at = line.folded.find(_TITLE)
            if at < 0 and line.folded.endswith(_TITLE[:-1]):  # its last sign stands apart, or was not read
                at = len(line.folded) - len(_TITLE) + 1
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
    return _disease_field(likeness, line, likeness.written, weight=0.8)


def _disease_field(likeness: Likeness, line: PageLine, raw: str = "", weight: float = 1.0) -> Field:
    confidence = round(likeness.score * weight * line.sure_of(likeness.disease.name), 3)
    return Field(likeness.disease.name, raw or line.raw.strip(), line.page, line.box, confidence)


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


# --- the fields of a form


_DAYS = ("reported", "first_visit", "diagnosed", "infected", "onset", "died", "admitted", "discharged")
_OF_A_PLACE = frozenset({"reported", "reporter", "institution", "institution_address", "institution_phone"})
_OF_A_CASE = (
    _OF_A_PLACE
    | {
        "disease",
        "category",
        "case_type",
        "doctor",
        "sex",
        "age",
        "first_visit",
        "diagnosed",
        "infected",
        "onset",
        "died",
    }
    | {"symptoms", "method", "route", "infection_place", "ticked"}
) - {"reporter"}
_KIN = {
    "TB_ADMISSION": _OF_A_PLACE | {"doctor", "sex", "age", "admitted", "discharged"},
    "FOOD_POISONING": _OF_A_PLACE
    | {"doctor", "sex", "age", "onset", "diagnosed", "symptoms", "cause", "food", "sick"}
    | {"infection_place"},
    "OUTBREAK_FACILITY": _OF_A_PLACE | {"doctor", "disease", "onset", "symptoms", "sick"},
    "OUTBREAK_SCHOOL": _OF_A_PLACE | {"disease", "symptoms"},
}


def _kin(document_type: str | None) -> frozenset[str]:
    """The fields that forms of a class have."""
    return _OF_A_CASE if document_type in NOTIFICATIONS else _KIN.get(document_type or "", frozenset())


@dataclass(frozen=True, slots=True)
class _Form:
    """The labels of a fax with what stands beside them, and when it came."""

    entries: tuple[Entry, ...]
    received: date | None
    marks: Sequence[tuple[int, Mark]]
    """All options of its pages, with the page of each."""

    def of(self, *keys: str) -> list[Entry]:
        """The entries of some keys, exactly written ones first."""
        return sorted((entry for entry in self.entries if entry.key in keys), key=lambda entry: -entry.likeness)

    def day_alone(self, text: str) -> Value | None:
        """A day with its year in a line of its own."""
        return values.day(text, self.received) if re.search(r"年.*月.*日|[.-].*[.-]", fold(text)) else None


def _placed(found: Sequence[Entry], document_type: str | None) -> Iterator[Entry]:
    """The labels as a class of forms means them.

    施設名 on a report of food poisoning is where it was eaten, on all others who reports. An outbreak has no one
    patient: what stands in a row with 氏名 or 年齢 is the head of a list of them.
    """
    whose = "infection_place" if document_type == "FOOD_POISONING" else "institution"
    outbreak = (document_type or "").startswith("OUTBREAK")
    heads = [(entry.page, entry.box) for entry in found if outbreak and entry.key in PATIENT]
    for entry in found:
        if not any(entry.page == page and _level(entry.box, box) for page, box in heads):
            yield replace(entry, key=whose) if entry.key == "facility" else entry


_Read = Callable[[_Form, str], Field | None]


def _first(form: _Form, keys: Sequence[str], understand: Callable[[Answer, Entry], Value | None]) -> Field | None:
    """The first answer that is a value; else, where its place is blacked out, that."""
    held = form.of(*keys)
    for entry in held:
        for answer in entry.answers():
            if _MASKED.search(answer.text):
                return _hidden(entry, answer.box)
            if entry.masked is not None and _before(entry.masked, answer.box):
                return _hidden(entry, entry.masked)  # what stands behind the bar is another's value
            value = understand(answer, entry)
            if value is not None:
                return _field(value, answer, entry)
        if entry.masked is not None:
            return _hidden(entry, entry.masked)
    return None


def _before(bar: Box, box: Box) -> bool:
    """Whether a black bar stands left of some words on their row."""
    return bar[0] < box[0] and min(bar[3], box[3]) > max(bar[1], box[1])


def _field(value: Value, answer: Answer, entry: Entry) -> Field:
    sure = value.sure * answer.confidence * entry.likeness
    return Field(value.value, value.raw, answer.page, answer.box, round(sure, 3), note=value.note)


def _hidden(entry: Entry, box: Box) -> Field:
    return Field("", "", entry.page, box, 1.0, masked=True)


def _day(form: _Form, key: str) -> Field | None:
    return _first(form, (key,), lambda answer, _: values.day(answer.text, form.received))


def _plain(understand: Callable[[str], Value | None], *others: str) -> _Read:
    def read(form: _Form, key: str) -> Field | None:
        return _first(form, (key, *others), lambda answer, _: understand(answer.text))

    return read


def _age(form: _Form, key: str) -> Field | None:
    return _first(form, (key, "sex_age"), lambda answer, _: values.age(answer.text)) or _first(
        form, ("sex",), lambda answer, _: values.age(answer.text) if "歳" in answer.text else None
    )


def _patient_phone(form: _Form, key: str) -> Field | None:
    """By its label, else what stands behind the patient's address: 電話( is small print."""
    found = _first(form, (key,), lambda answer, _: values.phone(answer.text))
    if found is not None:
        return found
    beside = _first(form, ("patient_address",), lambda answer, _: values.phone(answer.text))
    return None if beside is None or beside.masked else beside


def _sex(form: _Form, key: str) -> Field | None:
    circled = _choice(form, (key, "sex_age"), SEXES) or _circled_in_a_row(form, SEXES)
    if circled is not None:
        return circled
    return _first(form, (key, "sex_age"), lambda answer, entry: None if _open(entry, SEXES)
                  else values.sex(answer.text, _letters(answer.box)))  # fmt: skip


def _open(entry: Entry, options: Sequence[str]) -> bool:
    """Whether options are printed there to choose from: then the words alone say nothing."""
    signs = re.compile("|".join(options if options is SEXES else _OF_CASE_TYPES))
    there = [signs.findall(fold(answer.text)) for answer in (*entry.beside, *entry.below)]
    several = len({sign for found in there for sign in found}) > 1 if options is SEXES else sum(map(bool, there)) > 1
    return several or any(mark.on or values.chosen(options, (replace(mark, on=True),), "") for mark in entry.marks)


_OF_CASE_TYPES = ("確定例", "病原体", "保有者", "疑似症", "死亡", "死体", "疑い者")


def _letters(box: Box) -> float:
    """How often its height a run is wide."""
    return (box[2] - box[0]) / max(1, box[3] - box[1])


def _case_type(form: _Form, key: str) -> Field | None:
    chosen = _choice(form, (key,), CASE_TYPES) or _circled_in_a_row(form, CASE_TYPES)
    return chosen or _first(
        form,
        (key,),
        lambda answer, entry: (
            None if _open(entry, CASE_TYPES) or len(entry.beside) > 1 else values.chosen(CASE_TYPES, (), answer.text)
        ),
    )


def _choice(form: _Form, keys: Sequence[str], options: Sequence[str]) -> Field | None:
    for entry in form.of(*keys):
        value = values.chosen(options, entry.marks, "")
        if value is not None:
            mark = next(mark for mark in entry.marks if mark.on and mark.text == value.raw)
            return Field(value.value, value.raw, entry.page, mark.box, round(value.sure * entry.likeness, 3))
    return None


def _circled_in_a_row(form: _Form, options: Sequence[str]) -> Field | None:
    """The one of a row of options that is circled, where the label of the row was not read."""
    known = [(page, mark, value) for page, mark in form.marks
             if (value := values.chosen(options, (replace(mark, on=True),), "")) is not None]  # fmt: skip
    found = [
        (page, mark, value)
        for page, mark, value in known
        if mark.on and any(other == page and not off.on and of.value != value.value and _level(off.box, mark.box)
                           for other, off, of in known)
    ]  # fmt: skip
    if len(found) != 1:
        return None
    page, mark, value = found[0]
    return Field(value.value, value.raw, page, mark.box, round(_LABEL_LOST * value.sure, 3))


def _level(one: Box, other: Box) -> bool:
    """Whether two options stand on one row."""
    return 2 * (min(one[3], other[3]) - max(one[1], other[1])) > min(one[3] - one[1], other[3] - other[1])


def _born(form: _Form, key: str) -> Field | None:
    if form.received is None:
        return _day(form, key)
    received, age = form.received, _age(form, "age")
    years = int(age.value) if age is not None and age.value.isdecimal() else None
    return _first(form, (key,), lambda answer, entry: values.birth(answer.text, received, _era(entry), years))


def _era(entry: Entry) -> str | None:
    era = values.chosen(ERAS, entry.marks, "")
    return era.value if era is not None else None


def _ticks(form: _Form, key: str) -> Field | None:
    """The ticked options of a question, or the words that stand there where it has no boxes to tick."""
    asked = [(entry, mark) for entry in form.of(key) for mark in entry.asked]
    on = [(entry, mark) for entry, mark in asked if mark.on and values.words(mark.text)]
    if on:
        return _of_marks([mark for _, mark in on], on[0][0].page)
    if asked or any(_printed(entry) for entry in form.of(key)):
        return None
    return _first(form, (key,), lambda answer, _: values.listed(answer.text))


def _printed(entry: Entry) -> bool:
    """Whether options are printed beside a question: in several columns, or with boxes to tick."""
    columns = len(entry.beside) > 1 and not stacked(entry.beside)
    return columns or entry.grouped or any(_BOX.match(answer.text) for answer in (*entry.beside, *entry.below))


_BOX = re.compile(r"\s*[□☐☑■ロ口]\s*[^\W\d]")
_SAID_ELSEWHERE = frozenset({"sex", "sex_age", "case_type", "born", "symptoms", "method", "route"})


def _ticked(form: _Form, key: str) -> Field | None:
    """All other options that are ticked or circled."""
    del key
    on = [
        (e, mark)
        for e in form.entries
        if e.key not in _SAID_ELSEWHERE
        for mark in e.asked
        if mark.on and values.words(mark.text)
    ]
    return _of_marks([mark for _, mark in on], on[0][0].page) if on else None


def _of_marks(marks: Sequence[Mark], page: int) -> Field:
    read = [re.sub(r"^[\s□☐☑ロ口✓レ]+(?=\w)", "", mark.text).strip() for mark in marks]
    known = [printed.nearest(text) for text in read]
    texts = [text if option is None else _as_printed(text, option) for text, option in zip(read, known, strict=True)]
    sure = 0.9 * min(
        mark.confidence * (option.likeness if option else 1) for mark, option in zip(marks, known, strict=True)
    )
    boxes = [mark.box for mark in marks]
    around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    return Field("、".join(texts), "、".join(read), page, around, round(sure, 3))


def _as_printed(read: str, option: printed.Option) -> str:
    """An option as it is printed, with its number."""
    number = re.match(r"\d{1,2}[\s.]*(?=\w)", read)
    return (number.group() if number and not option.written[0].isdigit() else "") + option.written


_READERS: Mapping[str, _Read] = {
    **dict.fromkeys(_DAYS, _day),
    **dict.fromkeys(("doctor", "reporter", "patient_name", "guardian_name"), _plain(values.person)),
    **dict.fromkeys(("institution_address", "patient_address", "guardian_address"), _plain(values.address)),
    "institution_phone": _plain(values.phone),
    "patient_phone": _patient_phone,
    **dict.fromkeys(("occupation", "cause", "food", "sick"), _plain(values.words)),
    "institution": _plain(values.organisation),
    "infection_place": _plain(values.place),
    "age": _age,
    "sex": _sex,
    "case_type": _case_type,
    "born": _born,
    **dict.fromkeys(("symptoms", "method", "route"), _ticks),
    "ticked": _ticked,
}
_OF_A_PERSON = _READERS.keys() - NAMELESS.keys() - {"ticked"}
"""Looked for only where the law has them on the form."""


# --- a letterhead: what stands there without a label

_INSTITUTION = re.compile(
    r"(?:病院|医院|クリニック|診療所|医療センター|小児科|内科|外科|皮膚科|泌尿器科|産婦人科|耳鼻咽喉科|眼科|整形外科)$"
)
_FOR_WHOM = re.compile(r"殿|様|御中|宛|行$|知事|保健所|発行|電子カルテ|送信元|診療科")
_DAY_ALONE = 18
_NUMBER_ALONE = re.compile(r"[\W_]*(?:電?話|[Tt][Ee][Ll])?[\d\s()（）+＋\-‐－ー·.]{9,18}")
_BY = 5
"""Heights of a line: how far the address and the telephone stand from an institution's name."""


def _headed(form: _Form, pages: Sequence[PageLines], wanted: frozenset[str] | set[str]) -> dict[str, Field]:
    """Day, name, address and telephone as a letterhead has them, above the patient's part of the form."""
    head = _head(form, pages[0]) if pages else []
    found: dict[str, Field | None] = {}
    if "reported" in wanted:
        letter = all(entry.key not in PATIENT for entry in form.entries)  # its values may have labels that none knows
        short = [line for line in head if len(line.folded) <= _DAY_ALONE]
        alone = [line for line in short if not (letter and _is_beside(line, head))]
        found["reported"] = _read_in(alone, form.day_alone)
    name = next((line for line in head if _is_institution(line.raw)), None) if "institution" in wanted else None
    if name is not None:
        near = [line for line in head if line is not name and _close(name.box, line.box)]
        found["institution"] = _read_in([name], values.organisation)
        for key, understand in (("institution_address", values.address), ("institution_phone", _telephone)):
            if key in wanted:
                found[key] = _read_in(near, understand)
    if "institution_phone" in wanted and found.get("institution_phone") is None:
        found["institution_phone"] = _number_alone(form, head)
    if "patient_phone" in wanted and pages:
        found["patient_phone"] = _number_alone(form, _of_patient(form, pages[0]))
    return {key: field for key, field in found.items() if field is not None}


def _number_alone(form: _Form, lines: Sequence[PageLine]) -> Field | None:
    """The one telephone number in some lines that stands there without a label: 電話( is small print and gets lost."""
    others = {answer.box for entry in form.entries for answer in entry.beside if not entry.key.startswith("patient_")}
    alone = [line for line in lines if _NUMBER_ALONE.fullmatch(line.raw.strip()) and line.box not in others]
    found = [_of_line(value, line) for line in alone if (value := values.phone(line.raw)) is not None]
    return found[0] if len(found) == 1 else None


def _of_patient(form: _Form, page: PageLines) -> list[PageLine]:
    """The lines from the first to the last label that speaks of a patient, up to one that speaks of an institution."""
    here = [entry for entry in form.entries if entry.page == page.number and entry.box[3]]
    rows = [entry.box for entry in here if entry.key in PATIENT]
    if not rows:
        return []
    first, last = min(box[1] for box in rows), max(2 * box[3] - box[1] for box in rows)
    last = min([last, *(e.box[1] for e in here if e.key in INSTITUTION and e.box[1] > first)])
    return [line for line in page.lines if first <= line.box[1] and line.box[3] <= last]


def _read_in(lines: Sequence[PageLine], understand: Callable[[str], Value | None]) -> Field | None:
    """The first value in some lines."""
    read = ((line, understand(line.raw)) for line in lines)
    return next((_of_line(value, line) for line, value in read if value is not None), None)


def _head(form: _Form, page: PageLines) -> list[PageLine]:
    """The lines above the first label that speaks of a patient; without one, of anything but who writes and when."""
    here = [entry for entry in form.entries if entry.page == page.number]
    of_patient = [entry for entry in here if entry.key in PATIENT]
    of_case = [entry for entry in here if entry.key not in INSTITUTION | _OF_A_PLACE | {"other"}]
    end = min((entry.box[1] for entry in of_patient or of_case), default=0)
    return [line for line in page.lines if line.box[3] <= end] if end else []


def _is_beside(line: PageLine, head: Sequence[PageLine]) -> bool:
    """Whether something stands left of a line on its row: what it is the value of."""
    return any(other.box[2] <= line.box[0] and _level(other.box, line.box) for other in head)


def _is_institution(raw: str) -> bool:
    plain = raw.strip()
    return (
        len(plain) <= 40 and bool(_INSTITUTION.search(plain)) and not _FOR_WHOM.search(plain) and not labels_in(plain)
    )


def _close(name: Box, other: Box) -> bool:
    height = max(1, name[3] - name[1])
    across = min(name[2], other[2]) - max(name[0], other[0])
    return across > 0 and -height <= other[1] - name[3] <= _BY * height


def _telephone(raw: str) -> Value | None:
    """The telephone of a line that may have the fax number too."""
    return values.phone(re.split(r"(?i)fax|ファ[クッ]|ＦＡＸ", raw)[0])


def _of_line(value: Value, line: PageLine) -> Field:
    sure = round(0.8 * value.sure * line.sure_of(value.raw), 3)
    return Field(value.value, value.raw, line.page, line.box, sure, note=value.note)
