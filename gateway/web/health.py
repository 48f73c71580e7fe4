"""For those who watch the gateway: does it live, can it accept, how much waits where. Nothing of a fax is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from gateway.models import State, now
from gateway.store import Store

router = APIRouter(include_in_schema=False)

COPY_STATES = ("pending", "deferred", "delivered", "failed")


class Gauges(Collector):
    """The figures, read from the database when they are asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of this moment."""
        moment, figures = now(), self._store.inbox.figures()
        faxes = GaugeMetricFamily("faxless_faxes", "Faxes by state", labels=["state"])
        for state in State:
            faxes.add_metric([state], figures.faxes.get(state, 0))
        yield faxes
        copies = GaugeMetricFamily("faxless_deliveries", "Copies by state", labels=["state"])
        for copy_state in COPY_STATES:
            copies.add_metric([copy_state], figures.deliveries.get(copy_state, 0))
        yield copies
        unread = (moment - figures.oldest_unread).total_seconds() if figures.oldest_unread else 0.0
        yield GaugeMetricFamily(
            "faxless_oldest_unread_seconds", "Age of the oldest fax that nobody has taken; 0: none", value=unread
        )
        yield GaugeMetricFamily(
            "faxless_alerts_unopened",
            "Urgent faxes that people were called to and nobody has opened",
            value=figures.unopened,
        )
        yield GaugeMetricFamily(
            "faxless_advertising_unseen", "Advertising kept apart that nobody has looked at", value=figures.apart
        )
        yield from _sinks(self._store, moment)
        silent = GaugeMetricFamily("faxless_line_silent_seconds", "Seconds since the line's last mail", labels=["line"])
        for line, last in self._store.ledger.last_of_lines().items():
            silent.add_metric([line], (moment - last).total_seconds())
        yield silent


def _sinks(store: Store, moment: datetime) -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily(
        "faxless_sink_waiting", "Copies and messages that a sink has not taken", labels=["sink"]
    )
    failed = GaugeMetricFamily("faxless_sink_failed", "Copies and messages given up", labels=["sink"])
    stuck = GaugeMetricFamily(
        "faxless_sink_stuck_seconds", "Age of the oldest fax that a sink was offered in vain; 0: none", labels=["sink"]
    )
    for sink in store.copies.sinks():
        waiting.add_metric([sink.id], sink.waiting)
        failed.add_metric([sink.id], sink.failed)
        stuck.add_metric([sink.id], (moment - sink.tried_since).total_seconds() if sink.tried_since else 0.0)
    yield from (waiting, failed, stuck)


def registry(store: Store) -> CollectorRegistry:
    """A registry of this application's own."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Gauges(store))
    return made


@router.get("/healthz")
def lives() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def ready(request: Request) -> JSONResponse:
    """Whether the gateway can accept faxes; 503 with what is wrong when it cannot."""
    ask: Callable[[], Sequence[str]] = request.app.state.ready
    wrong = list(ask())
    return JSONResponse({"status": "unavailable" if wrong else "ok", "problems": wrong}, 503 if wrong else 200)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
