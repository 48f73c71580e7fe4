"""The administrator's rules: which one holds for a fax, and what is wrong with them as they stand."""

from __future__ import annotations

from collections.abc import Callable

from routing import number
from routing.department import Condition, Organisation, Rule
from routing.facts import Facts
from routing.fold import fold
from routing.taxonomy import Taxonomy

KINDS = ("barcode", "caller", "type", "text", "tsi", "line")
"""Rules are tried by the strongest condition they have, in this order; rules of one kind in the order of the file.

A TSI is typed by its sender, so it comes after the text.
"""


def first_rule(organisation: Organisation, facts: Facts, document_type: str | None) -> tuple[Rule | None, str]:
    """The first rule that holds, with its kind; ``(None, "")`` when none does."""
    text = _Text(facts)
    for rule in sorted(organisation.rules, key=lambda r: _rank(r.when)):
        if _holds(rule.when, facts, document_type, text):
            return rule, kind_of(rule.when)
    return None, ""


def kind_of(when: Condition) -> str:
    """The strongest condition that is set; empty for a rule without any (which never holds)."""
    return next((kind for kind in KINDS if getattr(when, kind).strip()), "")


def rule_reason(rule: Rule, kind: str, facts: Facts) -> str:
    """What of the fax a rule met, and the rule's name."""
    name = f"規則「{rule.name}」"
    met = {
        "barcode": "バーコード",
        "caller": f"発信番号 {facts.caller}",
        "type": f"種別「{rule.when.type}」",
        "text": f"本文の語句「{rule.when.text}」",
        "tsi": "発信者ID(TSI)",
        "line": f"回線「{facts.line}」",
    }
    return f"{met[kind]}の{name}"


def check_rules(organisation: Organisation, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Every mistake in the rules and lines, as Japanese sentences; empty when all is well."""
    mistakes: list[str] = []
    for line in organisation.lines:
        if line.department and organisation.department(line.department) is None:
            mistakes.append(f"回線「{line.id}」の部署「{line.department}」がありません。")
        if line.number and number.parse(line.number) is None:
            mistakes.append(f"回線「{line.id}」の番号「{line.number}」は電話番号ではありません。")
    mistakes += _same_twice(organisation)
    earlier: dict[Condition, str] = {}
    for rule in organisation.rules:
        mistakes += _mistakes_of(rule, organisation, taxonomy)
        condition = _normal(rule.when)
        if condition in earlier:
            mistakes.append(f"規則「{rule.name}」は、同じ条件の規則「{earlier[condition]}」が先にあるため働きません。")
        earlier.setdefault(condition, rule.name)
    return tuple(mistakes)


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
    return KINDS.index(kind) if kind else len(KINDS)


def _holds(when: Condition, facts: Facts, document_type: str | None, text: _Text) -> bool:
    """Every part that is set must hold; a condition without parts holds never."""
    if not kind_of(when):
        return False
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        (when.barcode, lambda: any(_matches(when.barcode, code) for code in facts.barcodes)),
        (when.caller, lambda: facts.caller is not None and _caller_matches(when.caller, facts.caller)),
        (when.type, lambda: document_type == when.type),
        (when.line, lambda: facts.line == when.line),
        (when.tsi, lambda: facts.tsi is not None and _tsi_matches(when.tsi, facts.tsi)),
        (when.text, lambda: text.has(when.text)),
    )
    return all(check() for part, check in checks if part.strip())


def _matches(wanted: str, text: str) -> bool:
    wanted = wanted.strip()
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _caller_matches(wanted: str, caller: str) -> bool:
    """A number in any writing, or its beginning followed by ``*`` (``03*`` and ``+813*`` say the same)."""
    wanted = wanted.strip()
    called = number.parse(caller)
    e164 = called.e164 if called is not None else caller
    if not wanted.endswith("*"):
        own = number.parse(wanted)
        return e164 == own.e164 if own is not None else e164 == wanted
    return e164.startswith(_beginning(wanted[:-1]))


def _beginning(written: str) -> str:
    digits = "".join(c for c in fold(written) if c.isdigit() or c == "+")
    return "+81" + digits[1:] if digits.startswith("0") else digits


def _tsi_matches(wanted: str, tsi: str) -> bool:
    """Machines pad and space what they send (T.30 5.3.6.2.4: 20 signs); numbers are compared as numbers."""
    own, sent = number.parse(wanted), number.parse(tsi)
    if sent is not None and (own is not None or set(fold(wanted)) <= set("+0123456789-*")):
        return _caller_matches(wanted, sent.e164)
    return _matches(fold(wanted), fold(tsi))


def _same_twice(organisation: Organisation) -> list[str]:
    mistakes = []
    for what, names in (
        ("部署", [d.id for d in organisation.departments]),
        ("回線", [line.id for line in organisation.lines]),
        ("規則", [rule.name for rule in organisation.rules]),
        ("回線のアドレス", [line.address.casefold() for line in organisation.lines if line.address]),
    ):
        mistakes += [f"{what}「{name}」が2つ以上あります。" for name in sorted(set(names)) if names.count(name) > 1]
    return mistakes


def _mistakes_of(rule: Rule, organisation: Organisation, taxonomy: Taxonomy) -> list[str]:
    when, name = rule.when, f"規則「{rule.name}」"
    wrong = [
        (not kind_of(when), f"{name}には条件がないため働きません。"),
        (not (rule.department or rule.type or rule.urgent is not None), f"{name}は何も決めません。"),
        (
            bool(rule.department) and organisation.department(rule.department) is None,
            f"{name}の部署「{rule.department}」がありません。",
        ),
        (bool(rule.type) and taxonomy.get(rule.type) is None, f"{name}の種別「{rule.type}」がありません。"),
        (bool(when.type) and taxonomy.get(when.type) is None, f"{name}の条件の種別「{when.type}」がありません。"),
        (bool(when.line) and organisation.line(when.line) is None, f"{name}の条件の回線「{when.line}」がありません。"),
        (
            bool(when.caller) and not when.caller.strip().endswith("*") and number.parse(when.caller) is None,
            f"{name}の条件の番号「{when.caller}」は電話番号ではありません。",
        ),
        (when.barcode.strip() == "*" or when.caller.strip() == "*", f"{name}の条件「*」はすべてに当てはまります。"),
        (bool(when.text) and not any(fold(p) for p in when.text.split("|")), f"{name}の条件の語句が空です。"),
    ]
    return [sentence for is_wrong, sentence in wrong if is_wrong]


def _normal(when: Condition) -> Condition:
    """A condition in one writing, so that equal ones are seen to be equal."""
    called = number.parse(when.caller)
    texts = "|".join(sorted({fold(phrase) for phrase in when.text.split("|")}))
    caller = called.e164 if called is not None else when.caller.strip()
    return Condition(caller, when.type, texts, when.barcode.strip(), when.line, when.tsi.strip())
