"""What the documents say is held against what faxless is: keys, commands, modules, sentences, dependencies, links."""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway import cli, dialogue, house, smtp, spool
from gateway.config import ConditionTable, File, SinkTable, load
from gateway.message import MessageKind
from gateway.models import State, Work
from gateway.web.words import COPIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
"""Written by hand; figures that a benchmark wrote are held elsewhere."""
SAMPLES = sorted((ROOT / "samples").glob("*.md"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# ---- config.toml


def uncommented() -> str:
    """The file that ships with its sample rules and sinks switched on."""
    return re.sub(r"^# (?=\[\[\w+\]\]$|\w+ = )", "", read("config.toml"), flags=re.MULTILINE)


def keys_written(table: dict[str, Any], place: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield f"{place}{key}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from keys_written(inner, f"{place}{key}.")


def keys_known(table: type[BaseModel], place: str = "") -> Iterator[str]:
    for name, field in table.model_fields.items():
        key = field.alias or name
        yield f"{place}{key}"
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from keys_known(inner, f"{place}{key}.")


def test_every_key_of_the_configuration_stands_in_the_file_that_ships() -> None:
    written = set(keys_written(tomllib.loads(uncommented())))
    when = re.search(r"^# when = .*$", read("config.toml"), re.MULTILINE)
    assert when
    written |= {f"rule.when.{name}" for name in ConditionTable.model_fields if re.search(rf"\b{name}\b", when[0])}
    assert written == set(keys_known(File))


def test_the_sample_rules_and_sinks_are_accepted_when_switched_on(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(uncommented(), encoding="utf-8")
    config = load(path)
    assert len(config.organisation.rules) == 1
    kinds = SinkTable.model_fields["kind"].annotation
    assert {sink.kind for sink in config.sinks} == set(kinds.__args__)  # type: ignore[union-attr]


def test_every_key_in_the_file_is_explained() -> None:
    """Above each key of a plain table, or on its line, stands a sentence."""
    blocks = re.split(r"\n(?=\[)", read("config.toml").partition("[[")[0])
    for block in blocks:
        lines = block.splitlines()
        for number, line in enumerate(lines):
            if re.match(r"\w+ = ", line):
                told = next(before for before in reversed(lines[:number]) if not re.match(r"\w+ = ", before))
                assert told.startswith("#"), line


# ---- commands


def parser() -> argparse.ArgumentParser:
    return cli._parser()


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(choices.choices)


def options(of: argparse.ArgumentParser) -> set[str]:
    return {option for action in of._actions for option in action.option_strings}


def console_lines() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            lines = [line for line in block.splitlines() if line.strip()]
            assert all(line.startswith("$ ") for line in lines), f"{page.name}: {block}"
            found += [(page.name, line[2:]) for line in lines]
    return found


@pytest.mark.parametrize(("page", "line"), console_lines())
def test_a_command_that_a_document_shows_can_be_typed(page: str, line: str) -> None:
    words = shlex.split(line)
    place = next(
        (number for number, word in enumerate(words) if Path(word).name == "faxless" and "/bin/" in word), None
    )
    if place is not None:
        understood = parser().parse_args(words[place + 1 :])
        for role in getattr(understood, "roles", "web").split(","):
            assert role in cli.ROLES
        for file in getattr(understood, "files", ()):
            assert str(file).startswith("mail-of-") or (ROOT / file).is_file(), file
    elif "make" in words:
        target = words[-1]
        assert re.search(rf"^\.PHONY:.*\b{target}\b", read("Makefile"), re.MULTILINE), target
        assert re.search(rf"^{target}:", read("Makefile"), re.MULTILINE), target
    else:
        assert "faxless" not in Path(words[0]).name, line
        for lock in re.findall(r"\S+\.lock", line):
            assert (ROOT / lock).is_file(), lock


def spans() -> list[tuple[str, str]]:
    """Commands named in running text: `faxless list`."""
    found = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        found += [(page.name, span) for span in re.findall(r"`faxless ([^`]+)`", text)]
    return found


@pytest.mark.parametrize(("page", "span"), spans())
def test_a_command_that_a_document_names_exists(page: str, span: str) -> None:
    words = shlex.split(span)
    name = next(word for word in words if not word.startswith("-"))
    assert name in commands(), span
    known = options(parser()) | options(commands()[name])
    assert {word for word in words if word.startswith("-")} <= known


def test_the_readme_lists_every_command_with_every_option() -> None:
    listed: dict[str, str] = {}
    for line in read("README.md").splitlines():
        if row := re.match(r"\| `faxless (\w+)", line):
            listed[row[1]] = line
    assert set(listed) == set(commands())
    for name, command in commands().items():
        own = options(command) - {"-h", "--help", "--json"}
        assert own == set(re.findall(r"--[a-z]+", listed[name])), name
        for action in (action for action in command._actions if action.choices and not action.option_strings):
            assert all(f"`faxless {name} {choice}" in listed[name] for choice in action.choices), name


def test_what_the_readme_says_is_missing_is_missing() -> None:
    missing = read("README.md").partition("## Not there yet")[2].partition("\n## ")[0]
    assert missing.strip()
    assert not set(re.findall(r"`(?:faxless )?(\w+)", missing)) & set(commands())


def test_the_greeting_in_the_readme_is_the_greeting() -> None:
    from gateway import service

    source = inspect.getsource(service._greet)
    shown = read("README.md").partition("```text\n")[2].partition("```")[0]
    for line in shown.splitlines():
        fixed = re.split(r"127\.0\.0\.1:\d+|: …|samples/|hoken@", line.strip())[0].strip()
        assert fixed in source, line


# ---- dependencies, modules, layers


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[\s\[<>=!~;]", requirement)[0] for requirement in requirements]


def test_every_dependency_has_its_reason() -> None:
    wanted = names(project()["project"]["dependencies"])
    for group in project()["dependency-groups"].values():
        wanted += names(group)
    reasons = read("docs/decisions.md").partition("## Dependencies")[2]
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \|", reasons, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(wanted)
    assert all(len(reason) > 10 for _, reason in rows)


def test_every_decision_is_a_question_with_a_date() -> None:
    headings = re.findall(r"^### (.*)$", read("docs/decisions.md"), re.MULTILINE)
    assert len(headings) > 20
    for heading in headings:
        assert re.fullmatch(r".+\? \(20\d\d-\d\d-\d\d\)", heading), heading


def sections(text: str) -> dict[str, str]:
    """The text below each heading that is a package's path."""
    parts = re.split(r"^#{2,3} ([\w/]+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("package", ["gateway", "gateway/web", "gateway/migrations", "ocr", "routing", "routing/sinks"])
def test_the_overview_names_every_module_and_no_other(package: str) -> None:
    folder = ROOT / package
    deep = "**/*.py" if package.endswith("migrations") else "*.py"
    here = {str(file.relative_to(folder)) for file in folder.glob(deep) if file.name != "__init__.py"}
    told = re.findall(r"^\| `([\w/]+\.py)` \| ", sections(read("docs/overview.md"))[package], re.MULTILINE)
    assert sorted(told) == sorted(here)


def test_the_overview_knows_every_package() -> None:
    packages = {
        str(file.parent.relative_to(ROOT))
        for top in ("gateway", "ocr", "routing")
        for file in (ROOT / top).rglob("__init__.py")
    }
    assert packages - {"gateway/migrations/versions"} <= set(sections(read("docs/overview.md")))


def test_the_layers_drawn_are_the_layers_checked() -> None:
    (drawn,) = re.findall(r"```layers\n(.*?)```", read("docs/overview.md"), re.DOTALL)
    (contract,) = [c for c in project()["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    assert drawn.splitlines() == contract["layers"]


def test_the_overview_names_every_table() -> None:
    from sqlmodel import SQLModel

    data = read("docs/overview.md").partition("## Data")[2].partition("\n## ")[0]
    told = re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in data.splitlines() if line.startswith("|")))
    assert sorted(told) == sorted(SQLModel.metadata.tables)


# ---- sentences and states


def test_administration_explains_every_reply_of_the_door() -> None:
    said = inspect.getsource(dialogue)
    replies = re.findall(r'"([45]\d\d \d\.\d\.\d [^"]+)"', inspect.getsource(smtp))
    replies += [" ".join(reply) for reply in re.findall(r'"([45]\d\d)", "([45]\.\d+\.\d+ [^"]+)"', said)]
    syntax = {reply for reply in replies if reply.startswith("50")}
    text = read("docs/administration.md")
    assert len(set(replies) - syntax) >= 15
    for reply in set(replies) - syntax:
        assert f"`{reply}`" in text, reply


def test_administration_explains_every_sentence_of_readyz() -> None:
    parts = (house._troubles, house._database_troubles, spool.Spool.prepare)
    source = "".join(inspect.getsource(part) for part in parts)
    sentences = re.findall(r'"([^"(]+) \(([a-z][a-z ]+)', source)
    assert len(sentences) == 5
    text = read("docs/administration.md")
    for japanese, english in sentences:
        assert english.strip() in text, english
        assert re.split(r"\{.*?\}", japanese)[0].strip() in text, japanese


@pytest.mark.parametrize(
    "word", [*State, *Work, *MessageKind, *COPIES, "clerk", "manager", "admin"], ids=lambda word: str(word)
)
def test_administration_explains_every_state(word: str) -> None:
    assert f"`{word}`" in read("docs/administration.md")


def test_words_that_the_manual_quotes_stand_on_the_pages() -> None:
    sources = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "gateway").rglob("*.html"), *(ROOT / "routing").glob("*.py")]
    shown = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    quoted = re.findall(r"「([^」]+)」", read("docs/using.md"))
    assert len(quoted) > 10
    for words in quoted:
        assert words in shown, words


def test_the_metrics_named_are_the_metrics_told() -> None:
    told = set(re.findall(r"`(faxless_\w+)`", read("docs/administration.md")))
    assert told == set(re.findall(r'"(faxless_\w+)"', read("gateway/web/health.py")))


# ---- links and manners


@pytest.mark.parametrize("page", [*PAGES, *SAMPLES], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith(("https://", "http://")):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_the_readme_begins_with_what_to_type() -> None:
    first = read("README.md").splitlines()[:24]
    assert "$ make run" in first
    assert not any("![" in line for line in first), "no pictures before the command"


# ---- the promise


def test_every_sentence_of_the_promise_names_tests_that_there_are() -> None:
    rows = [line for line in read("docs/promise.md").splitlines() if line.startswith("| ") and "`test_" in line]
    assert len(rows) >= 20
    there = {
        name
        for file in ROOT.joinpath("tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = {name for row in rows for name in re.findall(r"`(test_\w+)`", row)}
    assert named - there == set()


def test_no_sentence_of_the_promise_stands_without_a_test() -> None:
    promised = read("docs/promise.md").partition("## What is not promised")[0]
    rows = [line for line in promised.splitlines() if line.startswith("| ") and not line.startswith("| sentence")]
    assert [row for row in rows if "`test_" not in row.rsplit("|", 2)[1]] == []
