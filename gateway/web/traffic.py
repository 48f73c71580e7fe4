"""The managers' pages: a month beside the same month of the base year, the target, and where the faxes come from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Query as Asked
from starlette.responses import JSONResponse, Response

from gateway import traffic
from gateway.models import month_of, now
from gateway.web.guard import Counter, TheDesk
from gateway.web.paper import paper

router = APIRouter(include_in_schema=False)

MONTHS = 13
"""A year and the month a year before: so that the same month stands twice in the chart."""
OFFERED = ("line", "department", "sender", "purpose")
"""Breakdowns that the page offers."""


def months_until(last: str, count: int) -> str:
    """The month ``count - 1`` before ``last``."""
    ordinal = int(last[:4]) * 12 + int(last[5:7]) - 1 - (count - 1)
    return f"{ordinal // 12:04}-{ordinal % 12 + 1:02}"


def report_of(desk: TheDesk, first: str, last: str, by: tuple[str, ...], moment: datetime) -> traffic.Report:
    """The report over this site's configuration."""
    return traffic.report(desk.store, desk.config.organisation, desk.config.traffic, first, last, by, moment)


Month = Annotated[str, Asked(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


@router.get("/traffic")
def page(request: Request, desk: TheDesk, person: Counter, month: Month = "", by: str = OFFERED[0]) -> Response:
    """The page of one month with the twelve before it."""
    moment = now()
    current = month_of(moment)
    chosen = month or current
    by = by if by in OFFERED else OFFERED[0]
    report = report_of(desk, months_until(chosen, MONTHS), chosen, (by,), moment)
    begun = desk.store.ledger.first_month() or current
    shown = report.months[-1]
    return paper(
        request,
        "traffic.html",
        person=person,
        report=report,
        month=shown,
        groups=list(shown.by.get(by, {}).items()),
        by=by,
        offered=OFFERED,
        to_target=traffic.to_target,
        allowance=traffic.allowance,
        silent=traffic.silent_lines(desk.store, desk.config.organisation, moment),
        choices=sorted({current, chosen, *traffic.months(min(begun, current), current)[-60:]}, reverse=True),
    )


@router.get("/traffic.json")
def as_json(desk: TheDesk, person: Counter, month: Month = "", by: str = OFFERED[0]) -> Response:
    """The page's figures for a program."""
    return JSONResponse(traffic.as_json(_downloaded(desk, month, by)))


@router.get("/traffic.csv")
def as_csv(desk: TheDesk, person: Counter, month: Month = "", by: str = OFFERED[0]) -> Response:
    """The page's figures for a spreadsheet; with a BOM, by which Excel knows UTF-8."""
    report = _downloaded(desk, month, by)
    name = f"faxless-{report.months[-1].month}.csv"
    return Response(
        "\ufeff" + traffic.as_csv(report),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _downloaded(desk: TheDesk, month: str, by: str) -> traffic.Report:
    moment = now()
    last = month or month_of(moment)
    return report_of(desk, months_until(last, MONTHS), last, (by,) if by in OFFERED else (), moment)
