"""config.toml: read once, all mistakes at once, and the file that ships is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import load
from gateway.errors import ConfigError
from tests.city import ROOT, write_city


def test_the_file_that_ships_is_right() -> None:
    config = load(ROOT / "config.toml")
    assert config.smtp.listen == "127.0.0.1:2525"
    assert config.web.listen == "127.0.0.1:8080"
    assert config.data == ROOT / "var"
    assert config.database_url == f"sqlite:///{ROOT / 'var' / 'faxless.db'}"
    assert config.organisation.hold_below == 0.80
    assert [target.reduction for target in config.traffic.targets] == [0.60, 0.98]


def test_an_empty_file_has_every_default(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    config = load(tmp_path / "config.toml")
    assert (config.smtp.max_message_bytes, config.ocr.engine) == (52_428_800, "paddle")
    assert config.organisation.lines == ()


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        """
colour = "red"
[smtp]
listen = "2525"
allow = ["10.0.0.0/40"]
max_message_bytes = "big"
[ocr]
engine = "magic"
[traffic]
baseline_year = "last"
targets = [{from = "2020-13", reduction = 2}]
[[department]]
id = "a b"
[[line]]
id = "x"
address = "nowhere"
"""
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    told = "\n".join(caught.value.mistakes)
    for place in (
        "colour", "smtp.listen", "smtp.allow", "smtp.max_message_bytes", "ocr.engine", "traffic.baseline_year",
        "targets.0.from", "targets.0.reduction", "department.0.id", "department.0.name", "line.0.address",
    ):  # fmt: skip
        assert place in told


def test_what_contradicts_itself_is_reported(tmp_path: Path) -> None:
    path = write_city(
        tmp_path,
        """
[[department]]
id = "kansen"
name = "again"
[[line]]
id = "third"
address = "HOKEN@fax.example.jp"
number = "not a number"
department = "nowhere"
[[sink]]
department = "nobody"
kind = "webhook"
""",
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    told = "\n".join(caught.value.mistakes)
    for word in ("kansen", "hoken@fax.example.jp", "not a number", "nowhere", "nobody", "url", "secret"):
        assert word in told


def test_a_receiver_named_like_one_without_a_name_is_a_mistake(tmp_path: Path) -> None:
    folder = '[[sink]]\ndepartment = "kansen"\nkind = "folder"\npath = "out"\n'
    path = write_city(tmp_path, folder + folder + 'id = "kansen-folder-1"\n')
    with pytest.raises(ConfigError, match="kansen-folder-1"):  # else one of the two would never get a copy
        load(path)


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = write_city(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).organisation.lines


def test_mistakes_of_every_kind_are_told_in_one_run(tmp_path: Path) -> None:
    path = write_city(
        tmp_path,
        """
[[rule]]
colour = "red"
when = { line = "hoken" }
[[rule]]
when = { type = "NOTHING" }
department = "kansen"
[[line]]
id = "third"
address = "third@fax.example.jp"
department = "lost"
""",
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    told = "\n".join(caught.value.mistakes)
    for word in ("colour", "NOTHING", "lost"):
        assert word in told


def test_a_department_with_a_mistake_is_still_the_one_that_lines_mean(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[[department]]\nid = "kansen"\nname = "x"\ncolour = 1\n'
        '[[line]]\nid = "a"\naddress = "a@fax.example.jp"\ndepartment = "kansen"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml")
    (only,) = caught.value.mistakes
    assert "colour" in only


@pytest.mark.parametrize("written", [b"\xff\xfe", b"[smtp", b"a = \n"])
def test_a_file_that_is_no_toml_is_a_mistake_too(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "config.toml").write_bytes(written)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load(tmp_path / "config.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ありません"):
        load(tmp_path / "nothing.toml")


def test_numbers_and_addresses_are_read_as_people_write_them(tmp_path: Path) -> None:
    path = write_city(
        tmp_path, '[[line]]\nid = "x"\naddress = "x@fax.example.jp"\nnumber = "（０３）５５５５－０１０９"\n'
    )
    line = load(path).organisation.line("x")
    assert line is not None
    assert line.number == "+81355550109"


def test_postgresql_is_reached_by_the_driver_we_ship(tmp_path: Path) -> None:
    path = write_city(tmp_path, database="postgresql://faxless@db.example.jp/fax")
    assert load(path).database_url == "postgresql+psycopg://faxless@db.example.jp/fax"
