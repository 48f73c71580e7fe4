"""What a fax is: the classes of the taxonomy, recognised by titles, form anchors and words, with the words that told.

Recall first for what is urgent: weak evidence of a critical class is never silently outvoted, it becomes the runner-up.
Time is bounded by the limits of :mod:`routing.layout`, whatever the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from routing.addressee import elsewhere, public
from routing.disease import Disease, Diseases
from routing.extract import find_disease
from routing.facts import Classification, PageFacts, Part, Said, Witness
from routing.fold import fold
from routing.layout import PageLine, PageLines, lay_out
from routing.leaf import Leaves, leaves
from routing.model import Model
from routing.phrases import NOTIFICATION, NOTIFICATIONS, Book, Phrase, book, nearly, skeleton
from routing.taxonomy import URGENCIES, Taxonomy
from routing.verdict import TELLING, together

# Weights of evidence; a score of 1.3 means "about two in three", 3 (a whole clean title) "nine in ten".
_TITLE, _TITLE_IN_LINE, _TITLE_IN_SENTENCE, _TITLE_BELOW = 3.0, 1.6, 0.7, 1.5
_TITLE_AT_END = 2.4  # a compound's last word says what it is: 公園の騒音に対する改善の要望
_ANCHOR, _ANCHORS_AT_MOST = 0.8, 3.2
_KEYWORD, _KEYWORDS_AT_MOST = 0.25, 0.7
_HINT = 0.8  # a title on a cover sheet tells what should follow, not what is there
_AGAINST = 0.3
_SCALE = 1.3
_TOO_OFTEN = 8  # no form prints its title more often on one page
_UNSURE = 0.5
_LEAST, _LEAST_URGENT = 0.9, 0.75  # below this score nothing is recognised; one anchor is enough for what is urgent
_WHERE_TITLE, _WHERE_BODY = "title", "body"
_CLOSE_BEHIND = 0.45  # of a critical class: the decision holds for it
_ORDERS = ("注文", "発注", "purchase order", "po number", "order form")
_NO_ADDRESSEE = "読み取れません"
_OF_ONESELF = frozenset({"I", "I'm", "I've", "I'd", "my", "My", "me", "myself"})
_CLOSING_REMARK = re.compile(r"\([^()]*\)$")
_COURTESY = re.compile(r"(?:を|に)?(?:して)?(?:お願い|いただ|下さ|くださ|いた)?(?:い|します|しました|きたい)$")
_KNOWN = 0.8
"""As sure as this a document is known that no title begins."""
_CLEAR = 2.0
"""From this weight on a title begins a document."""
_SAME_FORM = 2
"""So many of a form's anchors once more are the form once more: another patient's."""
_SHORTEST = 4
"""Signs of a damaged title without its courtesy; of less nothing is left to be sure of."""
_GO_ON = ("の", "に", "を", "は", "が", "で", "用紙", "について", "及び", "等", "記入", "作成", "提出", "送付")


@dataclass(frozen=True, slots=True)
class _Hit:
    code: str
    phrase: str
    page: int
    where: str
    weight: float
    kind: str
    """``title``, ``anchor`` or ``keyword``."""


@dataclass(slots=True)
class _Document:
    """Pages that belong together, in the making."""

    pages: list[PageLines]
    hits: list[_Hit]
    counted: bool = False
    """Whether nothing but a page number 1 tells where it begins."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one document of the fax is thought to be."""

    code: str | None
    confidence: float
    hits: tuple[_Hit, ...]
    runner_up: str | None
    runner_up_confidence: float
    by_phrases: Said | None = None
    by_model: Said | None = None
    classes: tuple[tuple[str, float], ...] = ()
    maybe: Said | None = None


def classify(
    pages: Sequence[PageFacts],
    taxonomy: Taxonomy,
    diseases: Diseases,
    day: date,
    model: Model | None = None,
    names: Sequence[str] = (),
) -> Classification:
    """The class of the fax on ``day``, how sure (0..1), and why; by phrases alone where no model is given.

    Several documents in one fax are told apart by their titles and page numbers; the fax is what its most urgent
    document is. A cover sheet counts only when nothing else is there. ``document_type`` is None when no page could be
    read, ``OTHER`` with low confidence when nothing was recognised. ``names``: how the body that was called is named.
    """
    taxonomy, diseases = taxonomy.on(day), diseases.on(day)
    laid = lay_out(pages)
    written = [page for page in laid if not page.blank]
    if not laid:
        return Classification(None, 0.0)
    if not written:
        return Classification("COVER_ONLY", _UNSURE)
    documents = _documents(written, book(taxonomy, diseases), pages)
    verdicts = [(one.pages, _judge(one.pages, one.hits, taxonomy, model)) for one in documents]
    group, verdict = max(_not_covers(verdicts), key=lambda pair: _weight(pair[1], taxonomy))
    named, disease = _named(group, verdict, diseases)
    result = Classification(
        document_type=named.code,
        confidence=round(named.confidence, 3),
        witnesses=_witnesses(named),
        runner_up=named.runner_up,
        runner_up_confidence=round(named.runner_up_confidence, 3),
        parts=(parts := _parts(verdicts, diseases, pages)),
        untitled=tuple(
            part
            for part, one, (_, said) in zip(parts, documents, verdicts, strict=True)
            if one.counted and (said.code in {None, "OTHER"} or said.confidence < _KNOWN)
        ),
        disease=disease.name if disease is not None else None,
        by_phrases=named.by_phrases,
        by_model=named.by_model,
        classes=named.classes,
        maybe=_maybe([verdict for _, verdict in verdicts], verdict.code, taxonomy),
    )
    return _misdirected(result, written, taxonomy, names)


# --- pages into documents


def _documents(written: list[PageLines], phrases: Book, pages: Sequence[PageFacts]) -> list[_Document]:
    """The written pages grouped to documents: one begins with a clear title, with a page number 1, after a cover sheet.

    A page that carries its form's number 2 is no beginning, unless another class's title stands on it or the form's
    own words once more: what is numbered on may be a pile.
    """
    numbers, places = leaves(pages), {page.number: place for place, page in enumerate(pages)}
    documents: list[_Document] = []
    after_cover = False
    for page in written:
        hits = _hits(page, phrases)
        if _is_note(page):
            hits = [h for h in hits if h.code != "COVER_ONLY"]
        cover = _is_cover(hits)
        if cover:
            hits = _as_cover(hits)
        place = places[page.number]
        titled = _begins(hits, documents[-1] if documents and numbers.goes_on(place) else None)
        counted = _starts(numbers, place, places[documents[-1].pages[-1].number]) if documents else False
        if not documents or cover or after_cover or titled or counted:
            documents.append(_Document([page], hits, bool(documents) and not (cover or after_cover or titled)))
        else:
            documents[-1].pages.append(page)
            documents[-1].hits.extend(hits)
        after_cover = cover
    return documents


def _starts(numbers: Leaves, place: int, before: int) -> bool:
    """Whether a count begins anew on a page, or began on one after the last written page ``before`` that is blank."""
    return any(between in numbers.begins for between in range(before + 1, place + 1))


def _begins(hits: list[_Hit], before: _Document | None) -> bool:
    """Whether a page's title begins a document; ``before``: the one whose numbers the page goes on with."""
    titles = {h.code for h in hits if h.kind == "title" and h.weight >= _CLEAR}
    if not titles or before is None:
        return bool(titles)
    known = {h.code for h in before.hits if h.kind == "title" and h.weight >= _CLEAR}
    anchors, again = ({(h.code, h.phrase) for h in some if h.kind == "anchor"} for some in (before.hits, hits))
    return not titles & known or sum(code in titles for code, _ in anchors & again) >= _SAME_FORM


def _is_cover(hits: list[_Hit]) -> bool:
    """Whether a page is a cover sheet; one that carries the matter itself (three anchors of another class) is not."""
    titled = any(h.code == "COVER_ONLY" and h.kind == "title" and h.weight >= _TITLE_IN_LINE for h in hits)
    anchors = [h.code for h in hits if h.kind == "anchor" and h.code != "COVER_ONLY"]
    return titled and not any(anchors.count(code) >= 3 for code in set(anchors))


def _is_note(page: PageLines) -> bool:
    """Whether somebody writes in English of himself: a letter on a cover sheet's form.

    What cover sheets print about confidence and the wrong addressee never says I or my.
    """
    raw = " ".join(line.raw for line in page.lines[:120])
    words = re.findall(r"[A-Za-z']+", raw)
    return 2 * sum(map(len, words)) > len(raw) and sum(word in _OF_ONESELF for word in words) >= 3


def _as_cover(hits: list[_Hit]) -> list[_Hit]:
    """The hits of a cover sheet: what it announces is a hint."""
    return [
        h if h.code == "COVER_ONLY" else _Hit(h.code, h.phrase, h.page, h.where, min(h.weight, _HINT), h.kind)
        for h in hits
    ]


def _not_covers(verdicts: list[tuple[list[PageLines], _Verdict]]) -> list[tuple[list[PageLines], _Verdict]]:
    rest = [pair for pair in verdicts if pair[1].code != "COVER_ONLY"]
    return rest or verdicts


# --- phrases met on a page


def _hits(page: PageLines, phrases: Book) -> list[_Hit]:
    titles = _titles(page, phrases)
    titled = {h.phrase for h in titles}
    body = [
        _Hit(p.code, p.written, page.number, _WHERE_BODY, _ANCHOR, "anchor")
        for p in phrases.anchors
        if p.stands_in(page.folded)
    ]
    bones = skeleton(page.folded)
    body += [
        _Hit(p.code, p.written, page.number, _WHERE_BODY, _ANCHOR * 0.9, "anchor")
        for p in phrases.anchors
        if len(p.skeleton) >= 4 and not p.stands_in(page.folded) and p.pattern is None and p.skeleton in bones
    ]
    body += _damaged_anchors(page, phrases, {(h.code, h.phrase) for h in body})
    body += [
        _Hit(p.code, p.written, page.number, _WHERE_BODY, _KEYWORD, "keyword")
        for p in phrases.keywords
        if p.written not in titled and p.stands_in(page.folded)
    ]
    body = [h for h in body if not _is_of_a_title(h, titles, page)]
    opposed = _opposed(page, phrases, titles)
    return [
        _Hit(h.code, h.phrase, h.page, h.where, h.weight * _AGAINST, h.kind) if h.code in opposed else h
        for h in titles + body
    ]


def _titles(page: PageLines, phrases: Book) -> list[_Hit]:
    """Title phrases line by line, the best of each class."""
    best: dict[str, _Hit] = {}
    bones = skeleton(page.folded)
    # What stands in no line of the page need not be looked for in each; a pattern's edges are the line's.
    there = [p for p in phrases.titles if p.pattern is not None or p.folded in page.folded]
    alike = [p for p in phrases.titles if p.pattern is None and p.skeleton in bones]
    for line in page.lines:
        for hit in _titles_in(line, there, alike, phrases):
            if hit.code not in best or best[hit.code].weight < hit.weight:
                best[hit.code] = hit
    return list(best.values())


def _titles_in(line: PageLine, there: Sequence[Phrase], alike: Sequence[Phrase], phrases: Book) -> list[_Hit]:
    if len(line.folded) > 120:
        return []
    met = _exactly(line.folded, there)
    if line.title and not any(2 * (end - start) >= len(line.folded) for _, start, end, _ in met):
        met += _likely(line.folded, alike, phrases)  # 請書 stands in 公費負担中請書 too
    widest = [m for m in met if not any(_inside(m, other) for other in met)]
    hits = []
    for phrase, start, end, nearness in widest:
        weight = _title_weight(line, start, end) * nearness
        if weight:
            where = _WHERE_TITLE if line.title else _WHERE_BODY
            hits.append(_Hit(phrase.code, phrase.written, line.page, where, weight, "title"))
    return hits


_Met = tuple[Phrase, int, int, float]


def _exactly(folded: str, titles: Iterable[Phrase]) -> list[_Met]:
    return [(p, start, end, 1.0) for p in titles if p.stands_in(folded) for start, end in p.spans(folded)]


def _likely(folded: str, alike: Sequence[Phrase], phrases: Book) -> list[_Met]:
    """Damaged titles: look-alike characters first, then a bounded number of misread signs."""
    bones = skeleton(folded)
    met = [(p, at, at + len(p.folded), 0.9) for p in alike if (at := bones.find(p.skeleton)) >= 0]
    if met or not 4 <= len(folded) <= 40:
        return met
    near = [
        (p, *place)
        for p in phrases.near(folded)
        if len(_COURTESY.sub("", p.folded)) >= _SHORTEST  # 言ってください is not 売ってください
        and (place := nearly(p.folded, folded)) is not None
    ]
    return [max(near, key=lambda m: (m[3], len(m[0].folded)))] if near else []


def _inside(met: _Met, other: _Met) -> bool:
    """Whether a longer title holds this one (食中毒発生届 is no 発生届)."""
    return met is not other and other[1] <= met[1] and met[2] <= other[2] and other[2] - other[1] > met[2] - met[1]


def _title_weight(line: PageLine, start: int, end: int) -> float:
    """A title stands alone in its line and ends it; in a sentence, or followed by a particle, it is only spoken of."""
    text = _CLOSING_REMARK.sub("", line.folded) if start < line.folded.rfind("(") >= end else line.folded
    coverage = (end - start) / len(text)
    tail = text[end:].lstrip(")")
    spoken_of = tail.startswith(_GO_ON) or len(tail.split("(")[0]) > 8
    if end - start <= 2 and coverage < 0.8:
        return 0.0
    if not line.title:
        return _TITLE_BELOW if coverage >= 0.7 and end - start > 3 and not spoken_of else 0.0
    if spoken_of:
        return _TITLE_IN_SENTENCE
    if coverage >= 0.5:
        return _TITLE
    if end - start >= 4 and not tail and len(text) <= 30:
        return _TITLE_AT_END
    return _TITLE_IN_LINE if len(text) <= 40 else _TITLE_IN_SENTENCE


def _damaged_anchors(page: PageLines, phrases: Book, met: set[tuple[str, str]]) -> list[_Hit]:
    """Long anchors with a few misread signs, where a line is about as long as they are."""
    lines = [line.folded for line in page.lines[:200] if 7 <= len(line.folded) <= 45]
    hits = []
    for phrase in phrases.anchors:
        length = len(phrase.folded)
        if len(_COURTESY.sub("", phrase.folded)) < 8 or (phrase.code, phrase.written) in met:
            continue  # two signs off, 返信してください would be 指導してください
        if any(length <= len(text) + 2 and len(text) <= length + 12 and nearly(phrase.folded, text) for text in lines):
            hits.append(_Hit(phrase.code, phrase.written, page.number, _WHERE_BODY, _ANCHOR * 0.9, "anchor"))
    return hits


def _is_of_a_title(hit: _Hit, titles: list[_Hit], page: PageLines) -> bool:
    """Whether a word stands only in the title of another class (集団発生 in a school's 感染症等集団発生事例報告)."""
    word = fold(hit.phrase)
    return any(
        t.code != hit.code and t.weight >= _TITLE_AT_END and word in (title := fold(t.phrase))
        and page.folded.count(word) <= page.folded.count(title)
        for t in titles
    )  # fmt: skip


def _opposed(page: PageLines, phrases: Book, titles: list[_Hit]) -> set[str]:
    """Classes that the title zone speaks against, unless by a word of their own title."""
    zone = "\n".join(line.folded for line in page.lines if line.title)
    own: dict[str, str] = {}
    for hit in titles:
        own[hit.code] = own.get(hit.code, "") + hit.phrase
    return {p.code for p in phrases.against if p.stands_in(zone) and p.written not in own.get(p.code, "")}


# --- a document's verdict


def _judge(pages: list[PageLines], hits: list[_Hit], taxonomy: Taxonomy, model: Model | None) -> _Verdict:
    """Both witnesses together; phrases alone where there is no model, or nothing that it could tell from."""
    scores = _scores(hits)
    told = _told(pages, hits, scores, taxonomy)
    folded = "".join(page.folded for page in pages)
    if model is None or len(folded) < TELLING:
        return told
    codes = {NOTIFICATION if code in NOTIFICATIONS else code for code in taxonomy.codes}
    opinion = model.opinion(folded).among(codes)
    if opinion is None:
        return told
    critical = {code for code in codes if _critical(code, taxonomy)}
    guarded = {kind.code for kind in taxonomy.types if kind.special_care_pii == "yes"}
    verdict = together(scores, told.code or "OTHER", opinion, critical, guarded)
    repeated = _repeated(pages, hits, verdict.code)
    return replace(
        told,
        code=verdict.code,
        confidence=min(verdict.confidence, _UNSURE) if repeated else verdict.confidence,
        hits=tuple(h for h in hits if h.code == verdict.code),
        by_phrases=Said(told.code or "OTHER", told.confidence),
        by_model=Said(*opinion.shares[0]),
        classes=() if repeated else verdict.classes,
        maybe=Said(*verdict.maybe) if verdict.maybe else None,
    )


def _maybe(verdicts: list[_Verdict], code: str | None, taxonomy: Taxonomy) -> Said | None:
    """The likeliest critical class that some document of a fax may be which is taken for something else."""
    doubts = [verdict.maybe for verdict in verdicts if verdict.maybe is not None]
    return None if _critical(code, taxonomy) else max(doubts, key=lambda said: said.share, default=None)


def _told(pages: list[PageLines], hits: list[_Hit], scores: dict[str, float], taxonomy: Taxonomy) -> _Verdict:
    """What phrases alone say."""
    ranked = sorted(scores, key=lambda code: -scores[code])
    if not ranked or scores[ranked[0]] < (_LEAST_URGENT if _critical(ranked[0], taxonomy) else _LEAST):
        runner = ranked[0] if ranked else None
        return _Verdict("OTHER", 0.4, (), runner, _strength(scores[runner]) if runner else 0.0)
    top = ranked[0]
    second = scores[ranked[1]] if len(ranked) > 1 else 0.0
    confidence = _strength(scores[top]) * (1 - 0.5 * math.exp(-(scores[top] - second) / 0.8))
    if _repeated(pages, hits, top):
        confidence = min(confidence, _UNSURE)
    runner = _runner_up(ranked[1:], scores, taxonomy)
    told = tuple(h for h in hits if h.code == top)
    return _Verdict(top, confidence, told, runner, _strength(scores[runner]) if runner else 0.0)


def _scores(hits: list[_Hit]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for code in dict.fromkeys(h.code for h in hits):  # in an order that no hash decides
        titles = [h.weight for h in hits if h.code == code and h.kind == "title"]
        anchors = {h.phrase: h.weight for h in hits if h.code == code and h.kind == "anchor"}
        keywords = {h.phrase: h.weight for h in hits if h.code == code and h.kind == "keyword"}
        scores[code] = (
            max(titles, default=0.0)
            + min(sum(anchors.values()), _ANCHORS_AT_MOST)
            + min(sum(keywords.values()), _KEYWORDS_AT_MOST)
        )
    return scores


def _strength(score: float) -> float:
    return 1 - math.exp(-score / _SCALE)


def _runner_up(rest: list[str], scores: dict[str, float], taxonomy: Taxonomy) -> str | None:
    """The next class; a critical one that has more than a keyword for it goes before any other."""
    urgent = [code for code in rest if _critical(code, taxonomy) and scores[code] >= _ANCHOR]
    return next(iter(urgent + rest), None)


def _critical(code: str | None, taxonomy: Taxonomy) -> bool:
    if code == NOTIFICATION:
        return True
    kind = taxonomy.get(code)
    return kind is not None and kind.critical


def _repeated(pages: list[PageLines], hits: list[_Hit], code: str) -> bool:
    """A title over and over is no form but somebody's test or a list of forms."""
    titles = {fold(h.phrase) for h in hits if h.code == code and h.kind == "title"}
    return any(page.folded.count(title) > _TOO_OFTEN for page in pages for title in titles)


def _weight(verdict: _Verdict, taxonomy: Taxonomy) -> tuple[float, float]:
    """What decides between the documents of a fax: how urgent, when reasonably sure; then how sure."""
    kind = taxonomy.get("DISEASE_IMMEDIATE" if verdict.code == NOTIFICATION else verdict.code)
    sure = verdict.confidence >= 0.55 and verdict.code not in {None, "OTHER"}
    return (URGENCIES.index(kind.urgency) + 1.0 if kind and sure else 0.0, verdict.confidence)


def _named(pages: list[PageLines], verdict: _Verdict, diseases: Diseases) -> tuple[_Verdict, Disease | None]:
    """A notification by its disease: its class is the disease's; unreadable, it is taken for the urgent one."""
    if verdict.code != NOTIFICATION:
        if verdict.runner_up == NOTIFICATION:
            found = find_disease(pages, diseases)
            disease = diseases.named(found.value) if found else None
            runner = (disease.document_type if disease else None) or "DISEASE_IMMEDIATE"
            return replace(verdict, runner_up=runner), None
        return verdict, None
    found = find_disease(pages, diseases)
    disease = diseases.named(found.value) if found is not None else None
    code = disease.document_type if disease is not None else None
    if code is not None:
        assert found is not None  # noqa: S101 told by `disease`
        sure = verdict.confidence * (0.6 + 0.4 * found.confidence)
        return replace(verdict, code=code, confidence=sure), disease
    if any("7日以内" in page.folded for page in pages):  # the class-5 form prints its own deadline
        sure = min(verdict.confidence, 0.6)
        seven = replace(verdict, code="DISEASE_7DAY", confidence=sure, runner_up="DISEASE_IMMEDIATE")
        return replace(seven, runner_up_confidence=0.5), disease
    return replace(verdict, code="DISEASE_IMMEDIATE", confidence=min(verdict.confidence, 0.7)), disease


def _witnesses(verdict: _Verdict) -> tuple[Witness, ...]:
    """The words that told, the weightiest first, each once."""
    told = sorted(verdict.hits, key=lambda h: -h.weight)
    unique = {h.phrase: h for h in reversed(told)}
    return tuple(
        Witness(h.phrase, h.page, h.where, round(h.weight, 2))
        for h in sorted(unique.values(), key=lambda h: -h.weight)[:8]
    )


def _parts(
    verdicts: list[tuple[list[PageLines], _Verdict]], diseases: Diseases, pages: Sequence[PageFacts]
) -> tuple[Part, ...]:
    """The documents with their pages, each page in one: what is blank or unreadable goes with what stands before it."""
    firsts = [pages[0].number, *(group[0].number for group, _ in verdicts[1:])]
    lasts = [*(first - 1 for first in firsts[1:]), pages[-1].number]
    codes = [_named(group, verdict, diseases)[0].code for group, verdict in verdicts]
    return tuple(Part(*told) for told in zip(firsts, lasts, codes, strict=True))


def _is_order(result: Classification) -> bool:
    return result.document_type == "PROCUREMENT" and any(
        word in witness.phrase for witness in result.witnesses for word in _ORDERS
    )


def _misdirected(
    result: Classification, pages: list[PageLines], taxonomy: Taxonomy, names: Sequence[str]
) -> Classification:
    """Addressed to another organisation: misdirected, unless it is urgent; then a person is told both."""
    if taxonomy.get("MISDIRECTED") is None:
        return result
    addressee = elsewhere(pages, names)
    urgent_beside = _critical(result.runner_up, taxonomy) and result.runner_up_confidence >= _CLOSE_BEHIND
    if addressee is None and _is_order(result) and not urgent_beside and not public(pages):
        # Public bodies send orders and seldom get them: one that names none is most likely a company's to a company.
        unread = Witness(_NO_ADDRESSEE, pages[0].number, _WHERE_TITLE, 0.0)
        return replace(result, witnesses=(*result.witnesses, unread), runner_up="MISDIRECTED", runner_up_confidence=0.5)
    if addressee is None:
        return result
    witness = Witness(addressee.name, addressee.page, _WHERE_TITLE, 3.0)
    if _critical(result.document_type, taxonomy):
        told = (*result.witnesses, witness)
        return replace(result, witnesses=told, runner_up="MISDIRECTED", runner_up_confidence=0.85)
    return replace(
        result,
        document_type="MISDIRECTED",
        confidence=0.85,
        witnesses=(witness, *result.witnesses),
        runner_up=result.document_type,
        runner_up_confidence=result.confidence,
    )
