"""The administrator's rules: which one holds for a fax. What is wrong with the rules: routing.contradictions."""

from __future__ import annotations

from collections.abc import Callable

from routing import number
from routing.department import Condition, Organisation, Rule
from routing.facts import Facts, Institution, Sender
from routing.fold import fold

ORDER = ("barcode", "caller", "proven", "type", "text", "tsi", "institution", "sender_kind", "line")
"""Rules are tried by the strongest condition they have, in this order; rules of one kind in the order of the file.

``proven`` is an institution or a sort of sender of which proof is asked, or proof alone. A TSI, and whoever is known by
it or by the page, is typed by its sender, so it comes after the text.
"""
SURE = frozenset({"barcode", "caller", "proven", "line"})
"""Kinds that nobody writes on the page."""


def in_order(organisation: Organisation) -> tuple[Rule, ...]:
    """The rules as they are tried."""
    return tuple(sorted(organisation.rules, key=lambda rule: _rank(rule.when)))


def first_rule(organisation: Organisation, facts: Facts, document_type: str | None) -> tuple[Rule | None, str]:
    """The first rule that holds, with its kind; ``(None, "")`` when none does."""
    text = _Text(facts)
    for rule in in_order(organisation):
        if _holds(rule.when, facts, document_type, text):
            return rule, kind_of(rule.when)
    return None, ""


def kind_of(when: Condition) -> str:
    """The strongest condition that is set; empty for a rule without any (which never holds)."""
    set_ = {name for name in ("barcode", "caller", "type", "text", "tsi", "line") if getattr(when, name).strip()}
    if when.proof:
        set_.add("proven")
    else:
        set_ |= {name for name in ("institution", "sender_kind") if getattr(when, name).strip()}
    return next((kind for kind in ORDER if kind in set_), "")


def rule_reason(rule: Rule, kind: str, facts: Facts) -> str:
    """What of the fax a rule met, and the rule's name."""
    name = f"規則「{rule.name}」"
    sender = "・".join(one.name for one in facts.sender.institutions) if facts.sender is not None else facts.caller
    met = {
        "barcode": "バーコード",
        "caller": f"発信番号 {facts.caller}",
        "proven": f"発信元「{sender}」(発信番号で一致)",
        "type": f"種別「{rule.when.type}」",
        "text": f"本文の語句「{rule.when.text}」",
        "tsi": "発信者ID(TSI)",
        "institution": f"発信元「{sender}」",
        "sender_kind": f"発信元「{sender}」",
        "line": f"回線「{facts.line}」",
    }
    return f"{met[kind]}の{name}"


class _Text:
    """The fax's folded text, folded only when a rule asks for it."""

    __slots__ = ("_facts", "_folded")

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._folded: str | None = None

    def has(self, phrases: str) -> bool:
        if self._folded is None:
            self._folded = "\f".join(fold(page.text) for page in self._facts.pages)
        return any(folded in self._folded for phrase in phrases.split("|") if (folded := fold(phrase)))


def _rank(when: Condition) -> int:
    kind = kind_of(when)
    return ORDER.index(kind) if kind else len(ORDER)


def _holds(when: Condition, facts: Facts, document_type: str | None, text: _Text) -> bool:
    """Every part that is set must hold; a condition without parts holds never."""
    if not kind_of(when):
        return False
    checks: tuple[tuple[bool | str, Callable[[], bool]], ...] = (
        (when.barcode, lambda: any(_matches(when.barcode, code) for code in facts.barcodes)),
        (when.caller, lambda: _called_from(when.caller, facts)),
        (when.proof, lambda: _proven(when, facts)),
        (when.type, lambda: document_type == when.type.strip()),
        (when.line, lambda: facts.line == when.line.strip()),
        (when.tsi, lambda: facts.tsi is not None and _tsi_matches(when.tsi, facts.tsi)),
        (when.institution, lambda: _is_institution(when.institution, facts.sender)),
        (when.sender_kind, lambda: _is_sort(when.sender_kind, facts.sender)),
        (when.text, lambda: text.has(when.text)),
    )
    return all(check() for part, check in checks if (part if isinstance(part, bool) else part.strip()))


def _proven(when: Condition, facts: Facts) -> bool:
    """The call brought its number; whoever is asked for is known by it; and nothing that is only typed is asked for."""
    if when.tsi.strip() or facts.caller is None or not facts.caller_proven:
        return False
    asked = when.institution.strip() or when.sender_kind.strip()
    return not asked or (facts.sender is not None and facts.sender.proven)


def _is_institution(wanted: str, sender: Sender | None) -> bool:
    """Never where the number speaks for several: one of them is not meant."""
    return sender is not None and sender.one is not None and named(wanted, sender.one)


def named(wanted: str, one: Institution) -> bool:
    """Whether a rule's word is this institution's id or one of its names."""
    return wanted.strip() == one.id or fold(wanted) in {fold(name) for name in (one.name, *one.names)}


def _is_sort(wanted: str, sender: Sender | None) -> bool:
    return sender is not None and all(one.kind == wanted.strip() for one in sender.institutions)


def _matches(wanted: str, text: str) -> bool:
    wanted = wanted.strip()
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _called_from(wanted: str, facts: Facts) -> bool:
    """By the call's own number: a number that the sender typed (TSI, the printed line) meets ``tsi`` alone."""
    return facts.caller is not None and facts.caller_proven and _caller_matches(wanted, facts.caller)


def _caller_matches(wanted: str, caller: str) -> bool:
    """A number in any writing, or its beginning followed by ``*`` (``03*`` and ``+813*`` say the same)."""
    called = number.parse(caller)
    return _matches(caller_pattern(wanted), called.e164 if called is not None else caller)


def caller_pattern(written: str) -> str:
    """A rule's number in one writing: E.164, or its beginning followed by ``*``; what is no number stays as it is."""
    written = written.strip()
    if not written.endswith("*"):
        own = number.parse(written)
        return own.e164 if own is not None else written
    digits = "".join(c for c in fold(written[:-1]) if c.isdigit() or c == "+")
    return ("+81" + digits[1:] if digits.startswith("0") else digits) + "*"


def _tsi_matches(wanted: str, tsi: str) -> bool:
    """Machines pad and space what they send (T.30 5.3.6.2.4: 20 signs); numbers are compared as numbers."""
    own, sent = number.parse(wanted), number.parse(tsi)
    if sent is not None and (own is not None or set(fold(wanted)) <= set("+0123456789-*")):
        return _caller_matches(wanted, sent.e164)
    return _matches(fold(wanted), fold(tsi))
