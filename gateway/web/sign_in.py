"""Signing in and out, and changing the password.

Passwords are kept as argon2id. A name that does not exist costs the same time as a wrong password and is answered with
the same words; after :data:`TRIES` wrong passwords a name has to wait.
"""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from starlette.responses import RedirectResponse, Response

from gateway.models import User
from gateway.web.guard import COOKIE, Somebody, TheDesk, secret_of
from gateway.web.paper import paper, words
from gateway.web.trouble import Refused

router = APIRouter(include_in_schema=False)

TRIES = 5
WINDOW = timedelta(minutes=15)
SHORTEST = 12
"""Characters of a new password; length counts, not kinds of characters (NIST SP 800-63B-4, 3.1.1.2)."""
LONGEST = 256
_QUEUE_SECONDS = 5.0


class Doorman:
    """Compares passwords, one at a time: argon2 takes 64 MiB, and a crowd at the door must not take it forty times."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._turn = threading.Lock()
        self._nobody = ""

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(password)

    def admits(self, user: User | None, password: str) -> bool:
        """Whether this is the user's password; takes as long when there is no such user."""
        # Made at the first sign-in, whoever it is, so that it tells nothing and a start does not wait for it.
        self._nobody = self._nobody or self._hasher.hash(secrets.token_hex(16))
        try:
            right = self._hasher.verify(password[: LONGEST + 1], user.password_hash if user else self._nobody)
        except UnknownHashError:
            return False
        return right and user is not None and not user.disabled

    def __enter__(self) -> Doorman:
        if not self._turn.acquire(timeout=_QUEUE_SECONDS):
            raise Refused(
                503, "サインインが混み合っています。少し待ってからやり直してください。", "Busy: try again in a moment."
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._turn.release()


def the_doorman(request: Request) -> Doorman:
    """The application's doorman."""
    doorman: Doorman = request.app.state.doorman
    return doorman


TheDoorman = Annotated[Doorman, Depends(the_doorman)]
Typed = Annotated[str, Form()]


def local(address: str) -> str:
    """The address when it is one of ours, else the inbox: a link to us must not lead a person elsewhere."""
    parts = urlsplit(address)
    ours = address.startswith("/") and not address.startswith("//") and not parts.scheme and not parts.netloc
    return address if ours and "\\" not in address and address.isprintable() else "/"


@router.get("/login")
def door(request: Request, next: str = "/") -> Response:
    """The form."""
    return paper(request, "login.html", next=local(next), name="", mistake="")


@router.post("/login")
def sign_in(
    request: Request, desk: TheDesk, doorman: TheDoorman, name: Typed = "", password: Typed = "", next: Typed = "/"
) -> Response:
    """Let a person in, or say why not."""
    w = words(request)
    name = name.replace("\0", "").strip()[:64]
    shown = {"next": local(next), "name": name}
    with doorman:  # a guess is counted before the next one is made
        if desk.store.people.wrong_passwords(name, WINDOW) >= TRIES:
            mistake = w(
                "パスワードの誤りが続いたため、このユーザー名では今サインインできません。15分ほど待ってからやり直してください。",
                "Too many wrong passwords for this name. Wait 15 minutes and try again.",
            )
            response: Response = paper(request, "login.html", 429, mistake=mistake, **shown)
            response.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
            return response
        user = desk.store.people.user(name)
        admitted = doorman.admits(user, password)
        if not admitted:
            desk.store.people.wrong_password(name)
    if user is None or not admitted:
        mistake = w("ユーザー名かパスワードが違います。", "The user name or the password is wrong.")
        return paper(request, "login.html", 401, mistake=mistake, **shown)
    response = RedirectResponse("/password" if user.must_change else local(next), 303)
    _hand_over(response, desk, user.name)
    return response


@router.post("/logout")
def sign_out(request: Request, desk: TheDesk) -> Response:
    """Forget this browser."""
    secret, _ = secret_of(request)
    if secret:
        desk.store.people.sign_out(secret)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=desk.config.web.https)
    return response


@router.get("/password")
def new_password(request: Request, person: Somebody) -> Response:
    """The form for a new password."""
    return paper(request, "password.html", person=person, mistakes=[], shortest=SHORTEST)


@router.post("/password")
def change_password(
    request: Request,
    desk: TheDesk,
    doorman: TheDoorman,
    person: Somebody,
    old: Typed = "",
    new: Typed = "",
    again: Typed = "",
) -> Response:
    """Change the password; every other browser of this person is signed out."""
    user = desk.store.people.user(person.name)
    mistakes = _mistakes(request, person.name, old, new, again)
    with doorman:
        if not mistakes and desk.store.people.wrong_passwords(person.name, WINDOW) >= TRIES:
            mistakes = [words(request)("15分ほど待ってからやり直してください。", "Wait 15 minutes and try again.")]
        elif not mistakes and not doorman.admits(user, old):
            desk.store.people.wrong_password(person.name)
            mistakes = [words(request)("今のパスワードが違います。", "The present password is wrong.")]
    if mistakes or user is None:
        return paper(request, "password.html", 422, person=person, mistakes=mistakes, shortest=SHORTEST)
    user.password_hash, user.must_change = doorman.hash(new), False
    desk.store.people.save(user, person.name)
    secret, _ = secret_of(request)
    desk.store.people.sign_out(secret)
    response = RedirectResponse("/", 303)
    desk.store.people.sign_out_others(person.name, _hand_over(response, desk, person.name))
    return response


def _mistakes(request: Request, name: str, old: str, new: str, again: str) -> list[str]:
    w = words(request)
    mistakes: list[str] = []
    if not SHORTEST <= len(new) <= LONGEST:
        mistakes.append(
            w(f"新しいパスワードは{SHORTEST}文字以上にしてください。", f"Use at least {SHORTEST} characters.")
        )
    if new != again:
        mistakes.append(w("新しいパスワードの二回の入力が一致しません。", "The two new passwords differ."))
    if new == old:
        mistakes.append(w("今と同じパスワードは使えません。", "The new password must differ from the present one."))
    if name.lower() in new.lower():
        mistakes.append(w("ユーザー名を含めないでください。", "Leave your user name out of it."))
    return mistakes


def _hand_over(response: Response, desk: TheDesk, name: str) -> str:
    secret = secrets.token_urlsafe(32)
    desk.store.people.sign_in(secret, name)
    response.set_cookie(COOKIE, secret, httponly=True, samesite="lax", secure=desk.config.web.https, path="/")
    return secret
