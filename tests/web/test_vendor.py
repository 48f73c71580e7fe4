"""What others made and we ship is what they published, with its licence, and is all there in the package."""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources

VENDOR = resources.files("gateway.web") / "static" / "vendor"


def test_every_vendored_file_is_listed_and_unchanged() -> None:
    listed: dict[str, str] = {}
    for package in tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))["package"]:
        assert package["licence"]
        assert package["licence_file"] in package["sha256"]
        listed |= package["sha256"]
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    there = {
        f"{folder.name}/{file.name}" for folder in VENDOR.iterdir() if folder.is_dir() for file in folder.iterdir()
    }
    assert there == set(listed)


def test_every_template_can_be_read() -> None:
    from gateway.web.paper import templates

    names = templates().list_templates()
    assert {"base.html", "inbox.html", "list.html", "fax.html", "traffic.html", "login.html"} <= set(names)
    for name in names:
        templates().get_template(name)
