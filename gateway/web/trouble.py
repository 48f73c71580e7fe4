"""What can go wrong at a page, and how it is told: as a page to people, as problem+json (RFC 9457) to programs.

Nothing internal is ever shown: every sentence says what happened and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.errors import GatewayError, Missing, UsageError
from gateway.sealing import DESTROYED
from gateway.web.paper import paper

log = structlog.get_logger("web")

SENTENCES = {
    400: ("リクエストが読めません。", "The request cannot be read."),
    401: ("サインインしてください。", "Sign in first."),
    403: ("この操作は許可されていません。", "You may not do this."),
    404: (
        "見つかりません。アドレスが違うか、あなたの部署のFAXではありません。",
        "Not found: the address is wrong, or it is not a fax of your department.",
    ),
    405: ("この操作はできません。", "This cannot be done here."),
    410: (
        DESTROYED,
        "Destroyed as misdirected: only the record of its reception and of its case is left.",
    ),
    413: ("送られたデータが大きすぎます。", "The request is too large."),
    422: ("入力に誤りがあります。", "Something in the request is wrong."),
    429: ("しばらく待ってからやり直してください。", "Wait a while and try again."),
    500: (
        "内部で問題が起きました。FAXは失われていません。続くときは管理者に連絡してください。",
        "Something went wrong inside. No fax is lost. Tell the administrator if it happens again.",
    ),
    503: (
        "いま応答できません。しばらくしてから開き直してください。FAXは失われていません。",
        "Not available at the moment. Try again shortly. No fax is lost.",
    ),
}


class NotSignedIn(Exception):
    """Nobody is signed in."""


class MustChange(Exception):
    """Somebody is signed in with a one-time password that has to be changed first."""


@dataclass
class Refused(Exception):
    """The request cannot be answered: an HTTP status and sentences for a person."""

    status: int
    japanese: str = ""
    english: str = ""


@dataclass
class Sealed(Exception):
    """The fax is sealed, and the person has not said why they open it. ``fax_id``: whose case it lies in."""

    fax_id: str


def is_api(request: Request) -> bool:
    """Whether a program asks."""
    return request.url.path.startswith("/api/")


def tell(
    request: Request, status: int, japanese: str = "", english: str = "", errors: Sequence[Any] | None = None
) -> Response:
    """The answer to a request that failed."""
    usual = SENTENCES.get(status, SENTENCES[400])
    japanese, english = japanese or usual[0], english or usual[1]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if not is_api(request):
        return paper(request, "trouble.html", status=status, code=status, japanese=japanese, english=english)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": english,
        "status": status,
        "detail": japanese,
        "instance": request.url.path,
    }
    if errors is not None:
        problem["errors"] = errors
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


def _not_signed_in(request: Request, error: Exception) -> Response:
    if is_api(request):
        return tell(request, 401)
    if request.headers.get("HX-Request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    if request.method != "GET" or request.url.path == "/events":
        return tell(request, 401)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}", 303)


def _must_change(request: Request, error: Exception) -> Response:
    if is_api(request):
        return tell(request, 403, "先にパスワードを変更してください。", "Change the one-time password first.")
    return RedirectResponse("/password", 303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 for the type checker; the handler is registered for it alone
    return tell(request, error.status, error.japanese, error.english)


def _sealed(request: Request, error: Exception) -> Response:
    assert isinstance(error, Sealed)  # noqa: S101 as above
    if request.method == "GET" and not is_api(request):
        return RedirectResponse(f"/cases/{error.fax_id}", 303)
    return tell(
        request,
        403,
        f"誤着のおそれがあるため封印しています。/cases/{error.fax_id} で理由を書いて開いてください。",
        f"Sealed as misdirected: open it with a reason at /cases/{error.fax_id}.",
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 as above
    response = tell(request, error.status_code)
    response.headers.update(error.headers or {})
    return response


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 as above
    # The values themselves are left out: they may be somebody's.
    mistakes = [{"where": [str(part) for part in one["loc"]], "what": one["msg"]} for one in error.errors()]
    return tell(request, 422, errors=mistakes)


def _gateway(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)  # noqa: S101 as above
    if isinstance(error, UsageError):
        return tell(request, 422, str(error), str(error))
    if isinstance(error, Missing):
        log.error("bytes missing", path=request.url.path)
        return tell(request, 500, str(error), "The bytes are not in the spool. Tell the administrator.")
    return tell(request, 503 if error.again else 500)


def _database(request: Request, error: Exception) -> Response:
    log.error("database does not answer", path=request.url.path, error=type(error).__name__)
    return tell(request, 503)


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected", path=request.url.path, error=type(error).__name__)
    return tell(request, 500)


def register(app: FastAPI) -> None:
    """Have the application tell its troubles this way."""
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(MustChange, _must_change)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Sealed, _sealed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GatewayError, _gateway)
    for away in (OperationalError, InterfaceError, NoConnection):
        app.add_exception_handler(away, _database)
    app.add_exception_handler(Exception, _unexpected)
