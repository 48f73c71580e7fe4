"""The directory of senders: institutions handed in as a table, looked for, and learned once a person confirms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.desk import moment
from gateway.errors import UsageError
from gateway.institutions import Imported
from gateway.store import Store
from gateway.table import Mistakes, decode, rows_of
from routing import directory as known_as
from routing import number
from routing.directory import KINDS, Directory, Proposal
from routing.facts import Institution
from routing.fold import fold

COLUMNS = ("name", "number")
"""What a table must have; ``id``, ``kind``, ``bureau``, ``department``, ``names`` and ``tsi`` may be there too."""
LONGEST = 100
"""Signs of a name."""
_SEVERAL = re.compile(r"[|｜\n]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An institution with what came from it."""

    institution: Institution
    faxes: int
    last: datetime | None


def take(store: Store, data: bytes, who: str) -> dict[str, Any]:
    """Import a table; raises :class:`BadTable` naming every bad line, and then nothing is taken. Twice is once."""
    institutions = read(decode(data), store.institutions.directory())
    done: Imported = store.institutions.save(institutions, who)
    ambiguous = store.institutions.directory().ambiguous
    named = {e164: [one.name for one in holders] for e164, holders in ambiguous.items()}
    return {"institutions": len(institutions), "new": done.new, "changed": done.changed, "ambiguous": named}


def read(text: str, directory: Directory) -> tuple[Institution, ...]:
    """The institutions of a table, several rows of one as one; cells with several values part them by ``|``.

    Without an ``id`` an institution is known by name, bureau and department. Raises :class:`BadTable`.
    """
    mistakes = Mistakes()
    found: dict[str, tuple[int, Institution]] = {}
    for line, cells in rows_of(text, COLUMNS, mistakes):
        one = _institution(line, cells, directory, mistakes)
        if one is None:
            continue
        first, sofar = found.get(one.id, (line, one))
        if (sofar.name, sofar.kind or one.kind) != (one.name, one.kind or sofar.kind):
            mistakes.wrong(line, f"{first}行目と同じ機関ですが、名称か種類が違います (not as line {first} says)")
            continue
        found[one.id] = (first, _both(sofar, one))
    mistakes.done()
    return tuple(one for _, one in found.values())


def _institution(line: int, cells: dict[str, str], directory: Directory, mistakes: Mistakes) -> Institution | None:
    wrong = len(mistakes.found)
    name, kind = cells["name"], known_as.kind_of(cells.get("kind", "")) if cells.get("kind") else ""
    if not name or len(name) > LONGEST or not fold(name):
        mistakes.wrong(line, f"名称がないか、{LONGEST}文字を超えています (name)")
    if kind is None:
        mistakes.wrong(line, f"種類「{cells['kind'][:20]}」がありません。使えるもの (kind): {', '.join(KINDS)}")
    if (given := cells.get("id", "")) and not _ID.fullmatch(given):
        mistakes.wrong(line, f"id「{given[:20]}」には英数字と - _ . だけが使えます (id)")
    numbers = _numbers(line, cells["number"], mistakes)
    bureau, department = cells.get("bureau", ""), cells.get("department", "")
    identified = given or (identity(directory, name, bureau, department) if name else "")
    if identified is None:
        mistakes.wrong(line, f"「{name[:20]}」は複数あります。id を書いてください (several of this name: give the id)")
    if len(mistakes.found) > wrong or kind is None or identified is None:
        return None
    spellings, tsis = _several(cells.get("names", "")), _several(cells.get("tsi", ""))
    return Institution(identified, name, kind, bureau, department, spellings, tsis, numbers)


def identity(directory: Directory, name: str, bureau: str = "", department: str = "") -> str | None:
    """The id of the institution of this name, bureau and department; a new one's is made of them. None: several."""
    key = fold(name)
    here = [one for one in directory.names.get(key, ()) if (one.bureau, one.department) == (bureau, department)]
    if len(here) > 1:
        return None
    made = hashlib.sha256("\n".join((key, bureau, department)).encode()).hexdigest()[:10]
    return here[0].id if here else f"i-{made}"


def _numbers(line: int, cell: str, mistakes: Mistakes) -> tuple[str, ...]:
    found = {written: number.parse(written) for written in _several(cell)}
    for written, parsed in found.items():
        if parsed is None:
            mistakes.wrong(line, f"番号「{written[:30]}」は電話番号ではありません。市外局番から書いてください (number)")
    return tuple(dict.fromkeys(parsed.e164 for parsed in found.values() if parsed is not None))


def _several(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip()[:LONGEST] for one in _SEVERAL.split(cell) if one.strip()))


def _both(one: Institution, other: Institution) -> Institution:
    return replace(
        one,
        kind=one.kind or other.kind,
        bureau=one.bureau or other.bureau,
        department=one.department or other.department,
        names=tuple(dict.fromkeys((*one.names, *other.names))),
        tsis=tuple(dict.fromkeys((*one.tsis, *other.tsis))),
        numbers=tuple(dict.fromkeys((*one.numbers, *other.numbers))),
    )


# ---- looking ------------------------------------------------------------------------------------------


def find(directory: Directory, wanted: str = "") -> tuple[Institution, ...]:
    """Institutions of which a name, a TSI or the id has these words, or which have this number; all without words."""
    called, words = number.parse(wanted), fold(wanted)
    if called is not None:
        return directory.of_caller(called.e164)
    return tuple(
        one
        for one in directory.institutions
        if not words
        or one.id == wanted.strip()
        or any(words in fold(text) for text in (one.name, *one.names, *one.tsis))
    )


def one_of(directory: Directory, wanted: str) -> Institution:
    """The institution with this id; raises :class:`UsageError`."""
    found = directory.ids.get(wanted)
    if found is None:
        raise UsageError(f"機関「{wanted[:64]}」がありません (no such institution)")
    return found


def entries(store: Store, institutions: Sequence[Institution]) -> list[Entry]:
    """The institutions with their faxes."""
    came = store.institutions.faxes_from(institutions) if institutions else {}
    return [Entry(one, *came.get(one.id, (0, None))) for one in institutions]


def as_json(entry: Entry) -> dict[str, Any]:
    """One institution for programs; keys are only ever added."""
    one = entry.institution
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind or None,
        "bureau": one.bureau,
        "department": one.department,
        "names": list(one.names),
        "tsi": list(one.tsis),
        "numbers": list(one.numbers),
        "faxes": entry.faxes,
        "last": moment(entry.last),
    }


# ---- learning -----------------------------------------------------------------------------------------


def proposals(store: Store, most: int = 200) -> tuple[Proposal, ...]:
    """What the faxes that came say of numbers; nothing rests on it until a person confirms it."""
    return known_as.proposals(store.institutions.sightings(), store.institutions.directory(), most=most)


def proposal_json(one: Proposal) -> dict[str, Any]:
    """One proposal for programs."""
    return {
        "number": one.number,
        "name": one.name,
        "kind": one.kind or None,
        "tsi": list(one.tsis),
        "faxes": one.count,
        "known": [who.id for who in one.known],
        "holders": [who.id for who in one.holders],
    }


def proposed(store: Store, e164: str, name: str) -> Proposal:
    """The proposal of this number and name; raises :class:`UsageError` when it is gone."""
    seen = [one for one in store.institutions.sightings() if one.number == e164]
    found = next((one for one in known_as.proposals(seen, store.institutions.directory()) if one.name == name), None)
    if found is None:
        raise UsageError("この提案はもうありません。ページを開き直してください (no such proposal)")
    return found


def confirm(store: Store, one: Proposal, who: str, name: str = "", kind: str = "") -> Institution:
    """A person says that the number belongs to the institution of this name, a new one where none is known."""
    name = (name or one.name).strip()
    if not fold(name) or len(name) > LONGEST or (kind and kind not in KINDS):
        raise UsageError(f"名称を{LONGEST}文字までで書き、種類を選んでください (name and kind)")
    known = one.known[0] if len(one.known) == 1 and name == one.name else None
    here = known.id if known is not None else identity(store.institutions.directory(), name)
    if here is None:
        raise UsageError(f"「{name}」という機関は複数あります。区別できる名称にしてください (several of this name)")
    spellings = (one.name,) if known_as.alike(one.name, name) else ()
    learned = Institution(here, name if known is None else known.name, kind or one.kind, names=spellings,
                          tsis=one.tsis, numbers=(one.number,))  # fmt: skip
    store.institutions.save([learned], who, "confirmed")
    if not spellings:
        refuse(store, one, who)  # the number was right, the name on the page was not theirs
    return store.institutions.directory().ids[here]


def refuse(store: Store, one: Proposal, who: str) -> None:
    """A person says that this name does not belong to this number: neither it nor its spellings are proposed again."""
    names = [
        seen.name
        for seen in store.institutions.sightings()
        if seen.number == one.number and known_as.alike(seen.name, one.name)
    ]
    store.institutions.refuse(one.number, names, who)
