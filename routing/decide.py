"""Where a fax goes and why. The order on one screen: rules, then the class's department, then the line's, else held.

A held fax still has a proposed department, so that it stands in somebody's inbox. Every decision has reasons that a
person can check in two seconds; no reason names a patient.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from routing import clock
from routing.classify import classify
from routing.clock import JST
from routing.department import Department, Organisation, Rule
from routing.directory import sender_reason
from routing.disease import Disease, Diseases
from routing.extract import diagnosis_date, extract, masked
from routing.facts import Classification, Decision, Facts, PageFacts, Said, Share, Witness
from routing.layout import FAX_LIMIT, PAGE_LIMIT, lay_out
from routing.leaf import leaves
from routing.model import Model
from routing.paging import Lacking, lacking
from routing.phrases import NOTIFICATION, NOTIFICATIONS
from routing.rules import SURE, first_rule, rule_reason
from routing.taxonomy import DocumentType, Taxonomy

_RUNNER_UP = 0.45
"""A critical class this likely beside another one is shown to a person at once."""
_HINTED = 0.5
_MOST_SHARED = 20
"""Pages of a document for another department; a longer one is for a person to pass on."""
_WHOLE = frozenset({"critical", "high"})
"""How urgent a form is that must not be taken for whole when it says that it is not."""
_ALWAYS_HELD = {
    "MISDIRECTED": "他機関宛ての誤着の疑いがあります。発信元への連絡が必要です。",
    "SPAM": "広告・営業と思われます。確認のうえ処理してください。",
    "COVER_ONLY": "送信票だけ、または白紙です。続きのページが届いていない可能性があります。",
}


@dataclass(slots=True)
class _Draft:
    """A decision in the making."""

    department: str | None = None
    document_type: str | None = None
    confidence: float = 0.0
    urgent: bool = False
    reasons: list[str] = field(default_factory=list)
    held_because: list[str] = field(default_factory=list)


def decide(
    facts: Facts, organisation: Organisation, taxonomy: Taxonomy, diseases: Diseases, model: Model | None = None
) -> Decision:
    """The decision for one fax: department, class, urgency, due time, and whether a person must look first.

    Where documents for several departments came in one fax, it goes to the department of the most urgent one, and
    ``also`` says what the others must have of it. The lists are used as they stood on the day of reception
    (Asia/Tokyo). Never raises for any text.
    """
    decision = decide_alone(facts, organisation, taxonomy, diseases, model)

    def alone(pages: Sequence[PageFacts]) -> Decision:
        return decide_alone(_taken_out(facts, pages), organisation, taxonomy, diseases, model, whole=False)

    shares = tuple(_shares(facts, decision, alone))
    told = tuple(_to_pass_on(decision, shares, organisation, taxonomy))
    return replace(decision, also=shares, reasons=decision.reasons + told)


def decide_alone(
    facts: Facts,
    organisation: Organisation,
    taxonomy: Taxonomy,
    diseases: Diseases,
    model: Model | None = None,
    *,
    whole: bool = True,
) -> Decision:
    """The same of one document, shared with nobody. Not ``whole``: pages taken out of a fax, which lacks none."""
    day = facts.received_at.astimezone(JST).date()
    taxonomy, diseases = taxonomy.on(day), diseases.on(day)
    found = classify(facts.pages, taxonomy, diseases, day, model, organisation.names)
    rule, kind = first_rule(organisation, facts, found.document_type)
    fields = extract(_deciding(facts.pages, found), diseases, found.document_type, day)

    draft = _Draft(document_type=found.document_type, confidence=found.confidence)
    _say_why(draft, found, taxonomy, diseases)
    _apply_rule(draft, rule, kind, facts)
    _choose_department(draft, facts, organisation, taxonomy)
    _judge_urgency(draft, rule, found, taxonomy)
    gone = lacking(facts.pages) if whole else ()
    _hold_for_pages(draft, facts, gone)
    _hold_for_unknown_documents(draft, found)
    if whole and not gone:  # else the machine's own numbers have said it
        _hold_for_forms(draft, facts, found, taxonomy)
    _hold_for_class(draft, facts, found, organisation, taxonomy, sure=_is_sure(rule, kind))
    _hold_for_masks(draft, hidden := found.document_type in NOTIFICATIONS and masked(facts.pages))
    draft.reasons += [sender_reason(facts.sender)] if facts.sender is not None else []
    due = clock.due(
        taxonomy.get(draft.document_type),
        facts.received_at,
        diagnosis_date(fields),
        diseases.named(found.disease or ""),
    )
    if due is not None and due.why:
        draft.reasons.append(due.why)
    return Decision(
        held=bool(draft.held_because),
        department=draft.department,
        document_type=draft.document_type,
        confidence=round(draft.confidence, 3) if draft.document_type is not None else None,
        urgent=draft.urgent,
        reasons=tuple(draft.reasons),
        held_because=tuple(draft.held_because),
        due_at=due.at if due is not None else None,
        masked=hidden,
        fields=fields,
        documents=found.parts,
        rule=rule.name if rule is not None else None,
        apart=_is_apart(draft, found, organisation, facts.pages),
    )


def _is_apart(draft: _Draft, found: Classification, organisation: Organisation, pages: tuple[PageFacts, ...]) -> bool:
    """Whether it is advertising beyond doubt; whatever looks urgent or is held for another reason stays in sight.

    So does a fax with a page of which nothing was read: it may be written by hand.
    """
    if draft.document_type != "SPAM" or draft.urgent or draft.confidence < organisation.hold_below:
        return False
    alone = all(part.document_type in {"SPAM", "COVER_ONLY"} for part in found.parts)
    told = all(page.text.strip() or page.kind == "blank" for page in pages)
    return alone and told and set(draft.held_because) <= {_ALWAYS_HELD["SPAM"]}


def _deciding(pages: tuple[PageFacts, ...], found: Classification) -> tuple[PageFacts, ...]:
    """The pages of the first document of the fax's class: two notifications are two patients."""
    part = next((part for part in found.parts if part.document_type == found.document_type), None)
    if part is None:
        return pages
    return tuple(page for page in pages if part.first_page <= page.number <= part.last_page)


# --- documents for other departments


def _shares(facts: Facts, decision: Decision, judge: Callable[[Sequence[PageFacts]], Decision]) -> Iterator[Share]:
    """The documents of the fax that belong to another department, where that is beyond doubt.

    A page too many would show a patient to people without need; a page too few is seen by the fax's own department,
    which has all of it. So every page must be told by itself for what the document is, and nothing may hold it.
    """
    if len(decision.documents) < 2 or decision.document_type in _ALWAYS_HELD:
        return
    for part in decision.documents:
        pages = _without_blank_ends([page for page in facts.pages if part.first_page <= page.number <= part.last_page])
        if part.document_type in {None, "OTHER", *_ALWAYS_HELD} or len(pages) > _MOST_SHARED:
            continue
        alone = [judge(chosen) for chosen in (pages, *((page,) for page in pages if len(pages) > 1))]
        told = {(one.department, one.document_type, one.held) for one in alone}
        if told == {(alone[0].department, part.document_type, False)} and alone[0].department != decision.department:
            yield Share(pages[0].number, pages[-1].number, alone[0])


def _without_blank_ends(pages: list[PageFacts]) -> tuple[PageFacts, ...]:
    """Pages of a document without those at its ends on which nothing was read: whose they are nobody knows."""
    written = [place for place, page in enumerate(pages) if any(not laid.blank for laid in lay_out([page]))]
    return tuple(pages[written[0] : written[-1] + 1]) if written else ()


def _to_pass_on(
    decision: Decision, shares: tuple[Share, ...], organisation: Organisation, taxonomy: Taxonomy
) -> Iterator[str]:
    """Documents that look like another department's and are not shared: a person passes them on."""
    shared = {share.first_page for share in shares}
    for part in decision.documents:
        kind = taxonomy.get(part.document_type)
        if (
            kind is None
            or shared & set(range(part.first_page, part.last_page + 1))
            or part.document_type in {"OTHER", *_ALWAYS_HELD}
        ):
            continue
        served = department_for(organisation, kind)
        if served is not None and served.id != decision.department and part.document_type != decision.document_type:
            yield f"{part.first_page}ページ目からは「{kind.name}」のようです(担当: {served.name})"


def _taken_out(facts: Facts, pages: Sequence[PageFacts]) -> Facts:
    """The facts of some pages alone, counted from 1; a barcode may stand on another page."""
    return replace(facts, pages=tuple(replace(page, number=n) for n, page in enumerate(pages, 1)), barcodes=())


# --- why


def _say_why(draft: _Draft, found: Classification, taxonomy: Taxonomy, diseases: Diseases) -> None:
    told = [w for w in found.witnesses if found.document_type != "MISDIRECTED" or w is found.witnesses[0]]
    draft.reasons += [_witness(w, found) for w in told[:3]]
    disease = diseases.named(found.disease) if found.disease else None
    if disease is not None:
        draft.reasons.append(f"病名「{disease.name}」= {_deadline(disease)}")
    elif found.document_type in NOTIFICATIONS:
        draft.reasons.append("病名を読み取れないため、直ちに届け出る感染症として扱います")
    if found.by_model is not None:
        draft.reasons.append(f"学習モデルの見立て: {_said(found.by_model, taxonomy)}")


def _said(said: Said, taxonomy: Taxonomy) -> str:
    kind = taxonomy.get(said.document_type)
    name = "発生届" if said.document_type == NOTIFICATION else kind.name if kind else said.document_type
    return f"「{name}」{said.share:.0%}"


def _opinions(found: Classification, taxonomy: Taxonomy) -> str:
    """Both witnesses side by side, for whoever has to choose."""
    if found.by_phrases is None or found.by_model is None:
        return ""
    nothing = found.by_phrases.document_type == "OTHER"
    phrases = "手がかりなし" if nothing else _said(found.by_phrases, taxonomy)
    return f"語句: {phrases}、学習モデル: {_said(found.by_model, taxonomy)}"


def _witness(witness: Witness, found: Classification) -> str:
    if "MISDIRECTED" in {found.document_type, found.runner_up} and witness.phrase not in _own_phrases(found):
        return f"宛先「{witness.phrase}」({witness.page}ページ)"
    what = {"title": "表題", "body": "本文"}.get(witness.where, "語句")
    return f"{what}「{witness.phrase}」({witness.page}ページ)"


def _own_phrases(found: Classification) -> set[str]:
    """The witnesses that are phrases of the class; the addressee is the first of a misdirected fax, else the last."""
    phrases = [w.phrase for w in found.witnesses]
    return set(phrases[1:] if found.document_type == "MISDIRECTED" else phrases[:-1])


def _deadline(disease: Disease) -> str:
    return f"{disease.deadline}届出"


# --- where to


def _apply_rule(draft: _Draft, rule: Rule | None, kind: str, facts: Facts) -> None:
    if rule is None:
        return
    draft.reasons.insert(0, rule_reason(rule, kind, facts))
    draft.department = rule.department or None
    if rule.type:
        if kind in SURE or kind == "text":
            draft.confidence = 1.0
        elif rule.type != draft.document_type:
            draft.confidence = min(draft.confidence, _HINTED)  # a TSI is typed by its sender
        draft.document_type = rule.type


def _is_sure(rule: Rule | None, kind: str) -> bool:
    """A rule that names class and department by what the caller cannot write on the page needs no reading."""
    return rule is not None and bool(rule.type and rule.department) and kind in SURE


def _choose_department(draft: _Draft, facts: Facts, organisation: Organisation, taxonomy: Taxonomy) -> None:
    """The rule's department, else the class's, else the line's, else none."""
    if draft.department is not None:
        if organisation.department(draft.department) is not None:
            return
        draft.held_because.append(f"規則の振り分け先「{draft.department}」が部署の一覧にありません。")
        draft.department = None
    chosen = taxonomy.get(draft.document_type)
    served = department_for(organisation, chosen) if chosen is not None else None
    if chosen is not None and served is not None:
        draft.department = served.id
        draft.reasons.append(f"「{chosen.name}」の担当: {served.name}")
        return
    line = organisation.line(facts.line)
    if line is not None and organisation.department(line.department) is not None:
        draft.department = line.department
        draft.reasons.append(f"回線「{line.id}」の既定の振り分け先")
    else:
        draft.held_because.append("振り分け先の部署が決まりません。")


def kinds_of(type: DocumentType) -> list[str]:
    """What a department's kind may say to be this class's: its whole destination kind, then each alternative in it."""
    kinds = [type.destination_kind, *re.split(r"[/／]", re.sub(r"\([^)]*\)", "", type.destination_kind))]
    return [kind.strip() for kind in kinds]


def department_for(organisation: Organisation, type: DocumentType) -> Department | None:
    """The department whose kind is the class's destination kind; of alternatives (``/``) the first that is served."""
    found = (organisation.of_kind(kind) for kind in kinds_of(type))
    return next((department for department in found if department is not None), None)


# --- how urgent


def _judge_urgency(draft: _Draft, rule: Rule | None, found: Classification, taxonomy: Taxonomy) -> None:
    chosen = taxonomy.get(draft.document_type)
    draft.urgent = chosen is not None and chosen.critical
    _watch_runner_up(draft, found, taxonomy)
    _watch_both(draft, found, taxonomy)
    if rule is not None and rule.type and rule.type != found.document_type:
        seen = taxonomy.get(found.document_type)
        if seen is not None and seen.critical and found.confidence >= _RUNNER_UP:
            draft.urgent = True
            draft.held_because.append(f"規則は「{rule.type}」としますが、内容は「{seen.name}」に見えます。")
    if rule is not None and rule.urgent is not None:
        draft.urgent = rule.urgent


def _watch_runner_up(draft: _Draft, found: Classification, taxonomy: Taxonomy) -> None:
    """Something urgent close behind: a person decides, and soon."""
    second = taxonomy.get(found.runner_up)
    first = taxonomy.get(found.document_type)
    if second is None or not second.critical or found.runner_up_confidence < _RUNNER_UP:
        return
    if first is not None and first.critical and second.code != "MISDIRECTED":
        return  # urgent either way; the confidence already says how sure
    if second.code == "MISDIRECTED":
        draft.held_because.append(_ALWAYS_HELD["MISDIRECTED"])
        return
    draft.urgent = True
    draft.held_because.append(f"「{second.name}」の可能性があります(確からしさ {found.runner_up_confidence:.0%})。")


def _watch_both(draft: _Draft, found: Classification, taxonomy: Taxonomy) -> None:
    """One witness sees something urgent and the other does not: a person decides, and soon."""
    if found.maybe is None or draft.urgent:
        return
    draft.urgent = True
    likely, both = _said(found.maybe, taxonomy), _opinions(found, taxonomy)
    draft.held_because.append(f"緊急の{likely}の可能性があります({both})。")


# --- when a person must look


def _hold_for_pages(draft: _Draft, facts: Facts, gone: Sequence[Lacking]) -> None:
    if not facts.pages:
        draft.held_because.append("文書が添付されていません。")
        return
    unreadable = [page.number for page in facts.pages if not page.readable]
    if len(unreadable) == len(facts.pages):
        draft.held_because.append("どのページも読み取れません。原本を確認してください。")
    elif unreadable and draft.urgent:
        draft.held_because.append(f"読み取れないページがあります({_list(unreadable)}ページ)。")
    draft.held_because += [_gone(one) for one in gone]
    lengths = [len(page.text) for page in facts.pages]
    if max(lengths) > PAGE_LIMIT or sum(lengths) > FAX_LIMIT:
        draft.held_because.append("文字数が異常に多いため、一部だけで判断しました。")


def _hold_for_unknown_documents(draft: _Draft, found: Classification) -> None:
    draft.held_because += [
        f"{part.first_page}ページ目から別の文書が始まっていますが、種別を判断できません。" for part in found.untitled
    ]


def _hold_for_forms(draft: _Draft, facts: Facts, found: Classification, taxonomy: Taxonomy) -> None:
    """Forms that say of themselves that a page is missing."""
    numbers, places = leaves(facts.pages), {page.number: place for place, page in enumerate(facts.pages)}
    for part in found.parts:
        kind = taxonomy.get(part.document_type)
        gone = numbers.lacking(places[part.first_page], places[part.last_page])
        told = [f"{part.first_page}ページ目からの文書は、用紙の番号によると{_gone(one)}" for one in gone]
        if kind is not None and kind.urgency in _WHOLE:
            draft.held_because += told
        else:
            draft.reasons += told


def _gone(gone: Lacking) -> str:
    which = f"{_list(list(gone.numbers))}ページ目" if gone.numbers else f"あと{gone.count}ページ"
    if gone.total is None:
        return f"{which}が届いていません。"
    return f"全{gone.total}ページのうち{gone.total - gone.count}ページしか届いていません({which}がありません)。"


def _list(numbers: list[int]) -> str:
    return "、".join(str(n) for n in numbers[:5]) + ("ほか" if len(numbers) > 5 else "")


def _hold_for_class(
    draft: _Draft, facts: Facts, found: Classification, organisation: Organisation, taxonomy: Taxonomy, *, sure: bool
) -> None:
    if sure or (not found.confidence and draft.document_type is None):
        return
    always = _ALWAYS_HELD.get(draft.document_type or "")
    both = _opinions(found, taxonomy)
    told = f"{both}。" if both else ""
    if always is not None:
        draft.held_because.append(always)
    elif draft.document_type in {None, "OTHER"}:  # however surely it is nothing known
        draft.held_because.append(f"種別を判断できません。{told}")
    elif draft.confidence < organisation.hold_below and _at_home(draft, facts, found, organisation, taxonomy):
        draft.reasons.append(f"種別は確かではありませんが、考えられる種別の担当は同じです({both})")
    elif draft.confidence < organisation.hold_below:
        line = f"(確からしさ {draft.confidence:.0%}、基準 {organisation.hold_below:.0%})"
        draft.held_because.append(f"種別に確信がありません{line}。{told}")


def _at_home(
    draft: _Draft, facts: Facts, found: Classification, organisation: Organisation, taxonomy: Taxonomy
) -> bool:
    """Whether the department is sure though the class is not: both witnesses name it, and so do the likely classes.

    Never for anything urgent, and not where a rule has named the class.
    """
    if draft.urgent or draft.document_type != found.document_type or found.by_phrases is None or found.by_model is None:
        return False

    line = organisation.line(facts.line)
    usual = line.department if line is not None else None

    def home(code: str) -> str | None:
        kind = taxonomy.get(code)
        if kind is None or code in {"OTHER", *_ALWAYS_HELD}:
            return None
        served = department_for(organisation, kind)
        return served.id if served is not None else usual

    told = {home(said.document_type) for said in (found.by_phrases, found.by_model)}
    sure = sum(share for code, share in found.classes if home(code) == draft.department)
    return told == {draft.department} and sure >= organisation.hold_below


def _hold_for_masks(draft: _Draft, hidden: bool) -> None:
    if hidden:
        draft.held_because.append("黒塗りの欄があります。電話での聴取と原本の確認が必要です。")
