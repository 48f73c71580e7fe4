"""The application: all rooms together, with one guard before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.staticfiles import StaticFiles

from gateway.desk import Binder, Desk
from gateway.web import (
    api,
    case,
    case_api,
    directory,
    fax,
    health,
    inbox,
    live,
    machines,
    sign_in,
    sinks,
    traffic,
    trouble,
)
from gateway.web.guard import SafeHeaders, SameOrigin
from gateway.web.paper import templates

LARGEST_REQUEST = 256 * 1024
"""Bytes; what people and programs send to the pages are forms and a few words."""


def create_app(desk: Desk, ready: Callable[[], Sequence[str]], binder: Binder) -> FastAPI:
    """The pages and the API over ``desk``.

    ``ready`` gives a sentence for everything that keeps the gateway from accepting faxes; ``binder`` makes
    searchable PDFs, in a process of its own. Before stopping the server
    call ``app.state.live.close()``: open pages hold a stream each, and a server waits for them.
    """
    app = FastAPI(
        title="faxless",
        version=version("faxless"),
        description="受信FAXの一覧・原本・振分け・件数 / The gateway's faxes: list, originals, routing, counts.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.desk = desk
    app.state.ready = ready
    app.state.binder = binder
    app.state.templates = templates()
    app.state.doorman = sign_in.Doorman()
    app.state.live = live.Live(desk.store)
    app.state.registry = health.registry(desk.store)
    for room in (sign_in, inbox, live, fax, case, directory, machines, sinks, traffic, api, health):
        app.include_router(room.router)
    app.include_router(api.v1)
    app.include_router(case_api.v1)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    trouble.register(app)
    app.add_middleware(SameOrigin)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_REQUEST)
    app.add_middleware(SafeHeaders, https=desk.config.web.https)
    return app
