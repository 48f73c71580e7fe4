"""Who is asking, and may they. Every page and every call of the API passes here.

A browser holds a secret in a cookie, a program in ``Authorization: Bearer``; both are known by their hash alone and can
be taken back at any moment. A fax of another department does not exist for the person who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.desk import Desk
from gateway.models import Fax
from gateway.sealing import SEALED_WITH
from gateway.web.trouble import MustChange, NotSignedIn, Refused, Sealed, is_api, tell

COOKIE = "faxless"
ASKED_BY_ITSELF = ("/events", "/list")
"""What a page asks without a person: it must not keep a session awake."""

CONTENT_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it a browser sends "Origin: null" on our own forms (Fetch, "append a request Origin").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FAX_ID = re.compile(r"[0-9a-z-]{1,40}")
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, or the owner of a token."""

    name: str
    role: str
    departments: tuple[str, ...] | None
    """Ids; None means all, and faxes that no department has yet."""
    must_change: bool
    own: tuple[str, ...] = ()
    """The departments that they were given by name: ``*`` and an administrator's reach are no membership."""

    @property
    def counts(self) -> bool:
        """Whether they see the numbers of all."""
        return self.role in ("manager", "admin")

    def sees(self, fax: Fax) -> bool:
        """Whether the fax is one of their departments'."""
        return self.departments is None or fax.department in self.departments

    def knows(self, fax: Fax) -> bool:
        """Whether they may read who the patient is: people of the fax's own department alone (routing.personal)."""
        return fax.department in self.own


def the_desk(request: Request) -> Desk:
    """What the application was built with."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(the_desk)]


def secret_of(request: Request) -> tuple[str, bool]:
    """The secret that came with the request, and whether it is a program's. Programs are heard at the API only."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if is_api(request) and scheme.lower() == "bearer":
        return token.strip(), True
    return request.cookies.get(COOKIE, ""), False


def somebody(request: Request, desk: TheDesk) -> Person:
    """The person who asks, whatever they may do; raises :class:`NotSignedIn`."""
    secret, _ = secret_of(request)
    idle = timedelta(hours=desk.config.web.session_hours)
    touch = request.url.path not in ASKED_BY_ITSELF
    user = desk.store.people.signed_in(secret, idle, touch=touch) if secret else None
    if user is None:
        raise NotSignedIn
    everywhere = user.role == "admin" or "*" in user.departments
    own = tuple(user.departments)
    return Person(user.name, user.role, None if everywhere else own, user.must_change, own)


Somebody = Annotated[Person, Depends(somebody)]


def worker(request: Request, person: Somebody) -> Person:
    """A person who may work: the one-time password is changed."""
    if person.must_change and not secret_of(request)[1]:
        raise MustChange
    return person


Worker = Annotated[Person, Depends(worker)]


def counter(person: Worker) -> Person:
    """A person who may see the numbers of all."""
    if not person.counts:
        raise Refused(
            403,
            "件数のページは管理職(manager)と管理者(admin)だけが見られます。必要なときは管理者に依頼してください。",
            "The numbers are for managers and administrators. Ask your administrator if you need them.",
        )
    return person


Counter = Annotated[Person, Depends(counter)]


def sealed_or_not(fax_id: str, person: Worker, desk: TheDesk) -> Fax:
    """The fax of this address when it is one of the person's departments'; else there is none."""
    fax = desk.store.fax(fax_id) if _FAX_ID.fullmatch(fax_id) else None
    if fax is None or not person.sees(fax):
        raise Refused(404)
    return fax


FaxSealedOrNot = Annotated[Fax, Depends(sealed_or_not)]
"""For who tells nothing of what stands in it."""


def fax_in_reach(fax: FaxSealedOrNot, person: Worker, desk: TheDesk) -> Fax:
    """The same fax, open: a sealed one raises :class:`Sealed` until the person has said why they open it."""
    if fax.destroyed_at is not None:
        raise Refused(410)
    if fax.sealed and fax.sealed != fax.id:
        head = desk.store.fax(fax.sealed)
        if head is None or not person.sees(head):  # an entry for another department: its case is not theirs to open
            raise Refused(403, SEALED_WITH, "Sealed: the fax that it came in is said to be misdirected.")
    if fax.sealed and not desk.store.cases.is_open_to(fax, person.name):
        raise Sealed(fax.sealed)
    return fax


FaxInReach = Annotated[Fax, Depends(fax_in_reach)]


class SameOrigin:
    """Refuses a change that another site's page asks for with a person's cookie (CSRF).

    Sec-Fetch-Site decides where the browser sends it (Fetch Metadata; only over HTTPS or to localhost), else Origin
    against Host. A request with neither is no browser's, and a program brings no cookie.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and not _same_origin(Headers(scope=scope)):
            refusal = tell(
                Request(scope),
                403,
                "別のサイトからの操作は受け付けません。このサイトを開き直してください。",
                "Refused: the request came from another site.",
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _same_origin(headers: Headers) -> bool:
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == headers.get("Host")


class SafeHeaders:
    """Says to every browser: nothing from elsewhere, no frame, nothing kept on the disk."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if self.https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                # Pages hold people's illnesses: nothing of them stays in a cache. What ships with faxless may.
                static = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "no-cache" if static else "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
