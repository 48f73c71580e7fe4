"""Live update: a page is told that something has changed, and asks for its list again. No content goes this way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import structlog
from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from gateway.store import Store
from gateway.web.guard import Worker

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("web")

EVERY = 1.0
"""Seconds between two looks at the database, however many pages are open."""
ALIVE = 15.0
"""Seconds after which a silent stream says that it lives."""


class Live:
    """Looks at the database once a second for all open pages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._looked = 0.0
        self._newest = 0
        self.closing = False

    def close(self) -> None:
        """Let the open streams end, so that the server can stop."""
        self.closing = True

    async def newest(self) -> int:
        """The number of the newest change."""
        async with self._lock:
            if monotonic() - self._looked >= EVERY / 2:
                self._newest = await run_in_threadpool(self._store.inbox.last_event)
                self._looked = monotonic()
            return self._newest

    async def changes(self, since: int) -> AsyncIterator[str]:
        """Server-sent events (HTML standard 9.2): ``changed`` with the number of the newest change."""
        spoken = monotonic()
        yield ": hello\n\n"  # so that a proxy lets the headers through at once
        while not self.closing:
            try:
                newest = await self.newest()
            except SQLAlchemyError as error:
                log.warning("live update stopped", error=type(error).__name__)
                return
            if newest > since:
                since, spoken = newest, monotonic()
                yield f"event: changed\nid: {newest}\ndata: {newest}\n\n"
            elif monotonic() - spoken >= ALIVE:
                spoken = monotonic()
                yield ": alive\n\n"
            await asyncio.sleep(EVERY)


@router.get("/events")
async def events(request: Request, person: Worker, since: int = 0) -> StreamingResponse:
    """Tells when something has changed since the event of this number."""
    live: Live = request.app.state.live
    last = request.headers.get("Last-Event-ID", "")
    begin = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else since
    # X-Accel-Buffering: nginx would hold events back.
    return StreamingResponse(live.changes(begin), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
