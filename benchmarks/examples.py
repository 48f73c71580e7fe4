"""What the model that ships has learned from, and the model itself: made anew by one command.

    python -m benchmarks.examples            writes routing/data/examples.jsonl.gz, model.npz and model.sha256

Two writers: the generator's forms (benchmarks.faxgen), whose words are taken as they were drawn, page by page in
reading order; and wording (benchmarks/wording/*.txt), sentences and labels of each class put together at random, an
eighth of them for each layout, so that holding out a layout holds out its sentences too. Nothing of benchmarks/unseen
is used.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from benchmarks.faxgen.catalogue import COVERS, LAYOUTS
from benchmarks.faxgen.draft import Draft
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.people import FAMILY, TOWN
from routing import disease, model, taxonomy, training
from routing.training import Example

DATA = Path(model.__file__).parent / "data"
WORDING = Path(__file__).parent / "wording"
SEED, EACH, PUT_TOGETHER, LAYOUTS_OF_WORDS = 20261123, 16, 480, 8
_WORD = 8
"""Characters of a line that is a word, not something said."""
MADE = "2026-11-23"
"""The card's day, set by hand: the same examples shall give the same bytes."""


def drawn(seed: int, each: int) -> Iterator[Example]:
    """The generator's forms as text."""
    chance, book = random.Random(seed), FontBook()
    for name, layout in tqdm(LAYOUTS.items(), unit="layout", file=sys.stderr):
        for _ in range(each if layout.document_type != "COVER_ONLY" else 4 * each):
            draft = Draft.begin(chance.randrange(2**31), book)
            if layout.document_type != "COVER_ONLY" and chance.random() < 0.1:
                COVERS[chance.choice(tuple(COVERS))](draft, 2)
            layout.draw(draft)
            text = "\f".join(_in_order(sheet.segments) for sheet in draft.sheets)
            if text.strip():
                yield Example(_type(layout.document_type, text), text, name)


def _in_order(segments: list[dict[str, object]]) -> str:
    """A page's lines from the top; vertical columns as they were drawn, from the right."""
    upright = [s for s in segments if s["cls"] != "vertical"]
    lying = sorted(upright, key=lambda s: (round(s["box"][1] / 4), s["box"][0]))  # type: ignore[index]
    return "\n".join(str(s["text"]) for s in [*(s for s in segments if s["cls"] == "vertical"), *lying])


def _type(document_type: str, text: str) -> str:
    return "TB_REPORT" if document_type == "NOTIFICATION" and "結核" in text else document_type


def put_together(seed: int, each: int) -> Iterator[Example]:
    """Documents of the wording's and the taxonomy's phrases."""
    chance = random.Random(seed)
    diseases = [d.name for d in disease.load().rows if d.every_case and not d.name.startswith("(")]
    words, shared = _wording()
    for code, lines in words.items():
        chance.shuffle(lines)
        for number in range(each):
            layout = number % LAYOUTS_OF_WORDS
            own = lines[layout::LAYOUTS_OF_WORDS]
            document = _document(chance, own, shared, chance.choice(diseases))
            kind = "DISEASE_IMMEDIATE" if code == "NOTIFICATION" else code
            yield Example(kind, document, f"{code} {layout}")


def _wording() -> tuple[dict[str, list[str]], list[str]]:
    words: dict[str, list[str]] = {}
    for file in sorted(WORDING.glob("*.txt")):
        for block in re.split(r"^@ ", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            code, _, body = block.partition("\n")
            words.setdefault(code.strip(), []).extend(line.strip() for line in body.splitlines() if line.strip())
    shared = words.pop("SHARED")
    for kind in taxonomy.load().types:
        code = training.class_of(kind.code)
        if code in words:
            words[code] += [f"# {phrase}".replace("#名", "8名") for phrase in kind.title_phrases]
            words[code] += [phrase.replace("#", "7") for phrase in (*kind.anchors, *kind.keywords)]
    return {code: list(dict.fromkeys(lines)) for code, lines in words.items()}, shared


def _document(chance: random.Random, own: list[str], shared: list[str], sick: str) -> str:
    titles = [line[2:] for line in own if line.startswith("# ")]
    body = [line for line in own if not line.startswith("# ")]
    said, words = [line for line in body if len(line) > _WORD], [line for line in body if len(line) <= _WORD]
    lines = [*_some(chance, said, 2, 6), *_some(chance, words, 0, 3), *chance.sample(shared, chance.randint(0, 6))]
    chance.shuffle(lines)
    if titles and chance.random() < 0.6:
        lines.insert(chance.randint(0, 2), chance.choice(titles))
    return "\n".join(_filled(chance, line, sick) for line in lines)


def _some(chance: random.Random, lines: list[str], least: int, most: int) -> list[str]:
    return chance.sample(lines, min(len(lines), chance.randint(least, most)))


def _filled(chance: random.Random, line: str, sick: str) -> str:
    slots = {
        "{n}": lambda: str(chance.randint(1, 40)),
        "{date}": lambda: f"令和8年{chance.randint(1, 12)}月{chance.randint(1, 28)}日",
        "{name}": lambda: chance.choice(FAMILY),
        "{place}": lambda: chance.choice(TOWN)[-3:],
        "{phone}": lambda: f"0{chance.randint(3, 9)}-5555-{chance.randint(1000, 9999)}",
        "{disease}": lambda: sick,
    }
    return re.sub(r"\{\w+\}", lambda slot: slots[slot.group()](), line)


def main() -> int:
    """Write the examples and train on them."""
    write_examples([*drawn(SEED, EACH), *put_together(SEED, PUT_TOGETHER)])
    print(json.dumps(write_model(), indent=1))
    return 0


def write_examples(examples: list[Example]) -> None:
    """Pack them; the same examples give the same bytes."""
    lines = "".join(json.dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples)
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(lines.encode())
    (DATA / training.FILE).write_bytes(file.getvalue())


def write_model() -> dict[str, object]:
    """Train on the examples that ship; gives the card."""
    made = training.train(training.packaged(), {"made": MADE, "by": "python -m benchmarks.examples"})
    data = model.to_bytes(made)
    (DATA / model.FILE).write_bytes(data)
    (DATA / model.SEAL).write_text(f"{hashlib.sha256(data).hexdigest()}  {model.FILE}\n", "ascii")
    return {**made.card, "temperature": made.temperature, "bytes": len(data)}


if __name__ == "__main__":
    sys.exit(main())
