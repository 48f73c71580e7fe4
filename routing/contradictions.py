"""What is wrong with the rules as they stand: mistakes, and rules that no fax can ever meet.

Said of a rule only where it follows from the rules alone, so that it is never wrong; rules may stand in each
other's way in more ways than are seen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from routing import number
from routing.department import Condition, Organisation, Rule
from routing.directory import KINDS
from routing.fold import fold
from routing.rules import caller_pattern, in_order, kind_of
from routing.taxonomy import Taxonomy

_E164 = re.compile(r"\+[1-9]\d{0,14}|\+")
"""The beginning of a number (ITU-T E.164 6.1: at most 15 digits, and no country's code begins with 0)."""


def check_rules(organisation: Organisation, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Every mistake in the rules and lines, as Japanese sentences; empty when all is well."""
    mistakes: list[str] = []
    for line in organisation.lines:
        if line.department and organisation.department(line.department) is None:
            mistakes.append(f"回線「{line.id}」の部署「{line.department}」がありません。")
        if line.number and number.parse(line.number) is None:
            mistakes.append(f"回線「{line.id}」の番号「{line.number}」は電話番号ではありません。")
    mistakes += _same_twice(organisation)
    earlier: dict[Condition, Rule] = {}
    for rule in organisation.rules:
        mistakes += _mistakes_of(rule, organisation, taxonomy)
        first = earlier.setdefault(_normal(rule.when), rule)
        if first is not rule:
            mistakes.append(_said_twice(rule, first))
    return tuple(mistakes)


def idle_rules(organisation: Organisation) -> tuple[tuple[Rule, str], ...]:
    """Rules that no fax can meet, each with why: conditions that exclude each other, or others take all of their faxes.

    Nothing of this is a mistake that could do harm, so a gateway with such rules runs.
    """
    found: list[tuple[Rule, str]] = []
    tried: list[Rule] = []
    for rule in in_order(organisation):
        why = next(_impossible(rule.when, organisation), "") or _overtaken(rule, tried)
        if why:
            found.append((rule, f"規則「{rule.name}」は働きません: {why}"))
        else:
            tried.append(rule)
    return tuple(found)


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


def _said_twice(rule: Rule, first: Rule) -> str:
    clash = [
        f"{what} {one or 'なし'} と {other or 'なし'}"
        for what, one, other in (
            ("部署", first.department, rule.department),
            ("種別", first.type, rule.type),
            ("緊急", _yes(first.urgent), _yes(rule.urgent)),
        )
        if one != other
    ]
    tail = f"決めることが食い違っています({'、'.join(clash)})。" if clash else ""
    return f"規則「{rule.name}」は、同じ条件の規則「{first.name}」が先にあるため働きません。{tail}"


def _yes(urgent: bool | None) -> str:
    return {None: "", True: "はい", False: "いいえ"}[urgent]


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
        (
            bool(when.sender_kind.strip()) and when.sender_kind.strip() not in KINDS,
            f"{name}の発信元の種類「{when.sender_kind}」がありません。使えるもの: {', '.join(KINDS)}",
        ),
        (
            when.proof and bool(when.tsi.strip()),
            f"{name}は証明(proof)を求めていますが、TSIは送り手が書くもので証明になりません。",
        ),
    ]
    return [sentence for is_wrong, sentence in wrong if is_wrong]


def _normal(when: Condition) -> Condition:
    """A condition in one writing, so that equal ones are seen to be equal."""
    return Condition(
        caller=caller_pattern(when.caller),
        type=when.type.strip(),
        text="|".join(sorted(_phrases(when.text))),
        barcode=when.barcode.strip(),
        line=when.line.strip(),
        tsi=when.tsi.strip(),
        institution=when.institution.strip(),
        sender_kind=when.sender_kind.strip(),
        proof=when.proof,
    )


def _phrases(text: str) -> set[str]:
    return {folded for phrase in text.split("|") if (folded := fold(phrase))}


# --- rules that no fax can meet


def _impossible(when: Condition, organisation: Organisation) -> Iterator[str]:
    if not kind_of(when):
        yield "条件がありません。"
    if when.proof and when.tsi.strip():
        yield "TSIは送り手が書くもので、証明(proof)になりません。"
    if when.text.strip() and not _phrases(when.text):
        yield "語句が空です。"
    if when.line.strip() and organisation.line(when.line) is None:
        yield f"回線「{when.line}」がありません。"
    called = caller_pattern(when.caller)
    if called not in ("", "*") and not (_E164.fullmatch(called[:-1]) if called.endswith("*") else number.parse(called)):
        yield f"「{when.caller}」で始まる電話番号はありません。市外局番から、または +81 から書いてください。"


def _overtaken(rule: Rule, tried: list[Rule]) -> str:
    """Every phrase of its text apart: what one earlier rule leaves another may take."""
    when = _normal(rule.when)
    apart = [replace(when, text=phrase) for phrase in sorted(_phrases(rule.when.text))] or [when]
    taken: dict[str, None] = {}
    for one in apart:
        first = next((earlier for earlier in tried if _follows(one, _normal(earlier.when))), None)
        if first is None:
            return ""
        taken[first.name] = None
    names = "、".join(f"「{name}」" for name in taken)
    return f"当てはまるFAXは、先に見る規則{names}がすべて取ります。"


def _follows(narrow: Condition, wide: Condition) -> bool:
    """Whether every fax that meets ``narrow`` meets ``wide`` too: each part that ``wide`` asks for follows."""
    same = all(
        not getattr(wide, part) or getattr(wide, part) == getattr(narrow, part)
        for part in ("type", "line", "tsi", "institution", "sender_kind")
    )
    return (
        same
        and _within(narrow.barcode, wide.barcode)
        and _within(narrow.caller, wide.caller)
        and (not wide.proof or narrow.proof)
        and (not wide.text or _says(narrow.text, wide.text))
    )


def _within(narrow: str, wide: str) -> bool:
    """Whether what the first pattern meets, the second meets; ``ABC*`` is a beginning."""
    if not wide or narrow == wide:
        return True
    return bool(narrow) and wide.endswith("*") and narrow.removesuffix("*").startswith(wide[:-1])


def _says(narrow: str, wide: str) -> bool:
    """Whether a text with any phrase of the first has one of the second."""
    return bool(narrow) and all(any(short in long for short in wide.split("|")) for long in narrow.split("|"))
