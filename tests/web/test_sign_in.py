"""The door for people: in, out, the one-time password, and guessing made slow."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from gateway.models import FailedSignIn, SignIn, now
from gateway.web.sign_in import TRIES, local

if TYPE_CHECKING:
    from tests.web.conftest import Office

NEW = "shiraume 2026 no haru"


def test_in_and_out(office: Office) -> None:
    office.person("sato", password_hash=office.hashed)
    browser = office.client()
    assert browser.get("/").headers["Location"] == "/login"
    inside = browser.post("/login", data={"name": "sato", "password": office.password})
    assert (inside.status_code, inside.headers["Location"]) == (303, "/")
    cookie = inside.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # web.https is false here
    secret = browser.cookies["faxless"]
    with office.store.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT secret_hash FROM sign_in")).scalars().all()
    assert secret not in kept  # only its hash
    assert "受信箱" in browser.get("/").text
    assert browser.get("/logout").status_code == 405  # a link or a picture must not sign anybody out
    assert browser.post("/logout").headers["Location"] == "/login"
    browser.cookies.set("faxless", secret, domain="127.0.0.1")
    assert browser.get("/").status_code == 303  # the secret is worth nothing any more


def test_a_link_to_a_fax_survives_signing_in(office: Office) -> None:
    office.person("sato", password_hash=office.hashed)
    fax, browser = office.fax(), office.client()
    asked = browser.get(f"/faxes/{fax.id}?place=held")
    assert asked.status_code == 303
    form = browser.get(asked.headers["Location"]).text
    wanted = re.search(r'name="next" value="([^"]+)"', form)
    assert wanted
    inside = browser.post("/login", data={"name": "sato", "password": office.password, "next": wanted[1]})
    assert inside.headers["Location"] == f"/faxes/{fax.id}?place=held"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/\t/evil.example",
        "",
    ],
)
def test_nobody_is_led_elsewhere(elsewhere: str) -> None:
    assert local(elsewhere) == "/"


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(office: Office) -> None:
    office.person("sato", password_hash=office.hashed)
    office.person("gone", password_hash=office.hashed, disabled=True)
    browser = office.client()
    answers = [
        browser.post("/login", data={"name": name, "password": password})
        for name, password in (("sato", "wrong"), ("nobody", "wrong"), ("gone", office.password))
    ]
    assert {answer.status_code for answer in answers} == {401}
    texts = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert "ユーザー名かパスワードが違います" in texts.pop()


def test_guessing_is_slowed_by_name(office: Office) -> None:
    office.person("sato", password_hash=office.hashed)
    office.person("ito", password_hash=office.hashed)
    browser = office.client()
    for _ in range(TRIES):
        assert browser.post("/login", data={"name": "sato", "password": "wrong"}).status_code == 401
    waiting = browser.post("/login", data={"name": "sato", "password": office.password})
    assert waiting.status_code == 429
    assert "15分" in waiting.text
    assert waiting.headers["Retry-After"] == "900"
    assert browser.post("/login", data={"name": "ito", "password": office.password}).status_code == 303
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(FailedSignIn).values(at=now() - timedelta(minutes=16)))
    assert browser.post("/login", data={"name": "sato", "password": office.password}).status_code == 303


def test_a_session_that_nobody_uses_ends_and_live_update_does_not_keep_it(office: Office) -> None:
    clerk = office.client("sato")
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(SignIn).values(seen_at=now() - timedelta(hours=9)))
    assert clerk.get("/list").status_code == 200
    with office.store.engine.connect() as connection:
        seen = connection.execute(sa.select(SignIn.seen_at)).scalar_one()
    assert now() - seen > timedelta(hours=8)
    with office.store.engine.begin() as connection:
        connection.execute(sa.update(SignIn).values(seen_at=now() - timedelta(hours=11)))
    assert clerk.get("/").status_code == 303


def test_the_password_is_changed_and_other_browsers_are_out(office: Office) -> None:
    office.person("sato", password_hash=office.hashed, must_change=True)
    browser, other = office.client(), office.client("sato")
    assert browser.post("/login", data={"name": "sato", "password": office.password}).headers["Location"] == "/password"
    before = browser.cookies["faxless"]
    form = {"old": office.password, "new": NEW, "again": NEW}
    assert browser.post("/password", data=form).headers["Location"] == "/"
    assert browser.cookies["faxless"] != before
    assert browser.get("/").status_code == 200
    assert other.get("/").headers["Location"] == "/login"
    fresh = office.client()
    assert fresh.post("/login", data={"name": "sato", "password": office.password}).status_code == 401
    assert fresh.post("/login", data={"name": "sato", "password": NEW}).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, "今のパスワードが違います"),
        ({"old": None, "new": "short", "again": "short"}, "12文字以上"),
        ({"old": None, "new": NEW, "again": NEW + "x"}, "一致しません"),
        ({"old": None, "new": None, "again": None}, "同じパスワード"),
        ({"old": None, "new": "i-am-SATO-really", "again": "i-am-SATO-really"}, "ユーザー名を含めない"),
        ({}, "12文字以上"),
    ],
)
def test_a_bad_new_password_is_explained(office: Office, form: dict[str, str | None], told: str) -> None:
    # None stands for the present password.
    office.person("sato", password_hash=office.hashed, must_change=True)
    browser = office.client("sato")
    answer = browser.post("/password", data={name: text or office.password for name, text in form.items()})
    assert answer.status_code == 422
    assert told in answer.text
    assert office.store.people.user("sato").must_change  # type: ignore[union-attr]


def test_english_on_request_and_remembered(office: Office) -> None:
    browser = office.client()
    assert '<html lang="ja">' in browser.get("/login").text
    assert "User name" in browser.get("/login?lang=en").text
    assert '<html lang="en">' in browser.get("/login").text
    assert '<html lang="ja">' in browser.get("/login?lang=ja").text
    assert '<html lang="ja">' in browser.get("/login?lang=xx").text
