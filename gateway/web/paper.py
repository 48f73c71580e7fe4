"""The paper that pages are printed on: templates, and the language of the person who reads."""

from __future__ import annotations

from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse

from gateway.desk import Desk
from gateway.web.words import LANGUAGES, Words

LANGUAGE_COOKIE = "language"
_YEAR = 365 * 24 * 3600


def templates() -> jinja2.Environment:
    """The templates; a name that nobody gave is a mistake, and everything is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def language(request: Request) -> str:
    """``ja`` unless the person chose otherwise, now or earlier."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return LANGUAGES[0]


def words(request: Request) -> Words:
    """The words for this request."""
    desk: Desk = request.app.state.desk
    return Words(language(request), desk.config.organisation, desk.taxonomy)


def paper(request: Request, template: str, status: int = 200, **content: Any) -> HTMLResponse:
    """A page. ``person`` among its content when somebody is signed in."""
    spoken = language(request)
    shown = {
        "w": words(request),
        "path": request.url.path,
        "person": None,
        "other_language": str(request.url.include_query_params(lang="ja" if spoken == "en" else "en").query),
        **content,
    }
    text = request.app.state.templates.get_template(template).render(shown)
    response = HTMLResponse(text, status, {"Content-Language": spoken})
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            spoken,
            _YEAR,
            samesite="lax",
            httponly=True,
            secure=request.app.state.desk.config.web.https,
        )
    return response
