"""Who is called to an urgent fax, and what they are told: by department, hour and step of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.calls import Call
from gateway.config import AlertTable, Config
from gateway.models import Delivery, Fax
from gateway.store import Store
from routing import number
from routing.decide import department_for
from routing.delivery import Notice
from routing.department import Department
from routing.hours import holidays_known
from routing.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Alerts:
    """The calls of this site."""

    config: Config

    def call(self, fax: Fax, step: int, moment: datetime) -> Call:
        """Who is told of this fax at this step (from 1) at this moment."""
        department = self._department(fax)
        there = department.hours.open_at(moment)
        return Call(recipients(self.config, department.id, step, there=there), department.alert_after)

    def watch(self, store: Store, moment: datetime) -> None:
        """Call the next ones for every fax that nobody has opened in its time."""
        store.calls.escalate(moment, self.call)

    def notice(self, fax: Fax, message: Delivery, taxonomy: Taxonomy) -> Notice:
        """What a message says. Of the sender only the number: everything else may name a person."""
        kind = taxonomy.get(fax.document_type)
        caller = number.parse(fax.caller or "")
        web = self.config.web
        return Notice(
            id=message.id,
            fax_id=fax.id,
            document_type=fax.document_type,
            type_name=kind.name if kind else "",
            department=self._department(fax).name,
            line=fax.line,
            sender=number.written(caller.e164) if caller and caller.e164 else "",
            received_at=fax.received_at,
            due_at=fax.due_at,
            step=message.step,
            link=f"{web.url.rstrip('/') or f'http://{web.listen}'}/faxes/{fax.id}",
        )

    def _department(self, fax: Fax) -> Department:
        """The fax's department, else its line's; while nobody knows, one with the usual hours."""
        organisation = self.config.organisation
        line = organisation.line(fax.line)
        found = organisation.department(fax.department or (line.department if line else ""))
        return found or Department("", "")


def recipients(config: Config, department: str, step: int, *, there: bool) -> tuple[str, ...]:
    """The ids of those who are called at this step. ``there``: within the office hours of the department.

    Its own [[alert]]s, else those for all, else its sinks; of these the ones for the hour, else whoever there is: the
    wrong person called is better than none. At a step for which nobody is named those of the one before are called.
    """
    own = _alerts_of(config, department)
    if not own:
        return config.sinks_of(department)
    now = _for_the_hour(own, there=there) or own
    reached = max((alert.step for alert in now if alert.step <= step), default=min(alert.step for alert in now))
    return tuple(alert.id for alert in now if alert.step == reached)


def _alerts_of(config: Config, department: str) -> list[AlertTable]:
    own = [alert for alert in config.alerts if alert.department == department and department]
    return own or [alert for alert in config.alerts if not alert.department]


def _for_the_hour(alerts: Sequence[AlertTable], *, there: bool) -> list[AlertTable]:
    return [alert for alert in alerts if alert.when in ("always", "office_hours" if there else "out_of_hours")]


def unguarded(config: Config, taxonomy: Taxonomy) -> Iterator[str]:
    """Departments that urgent faxes come to and where nobody is called, or nobody by night: sentences for `check`."""
    for department in _urgent_departments(config, taxonomy):
        own = _alerts_of(config, department.id)
        if not recipients(config, department.id, 1, there=True):
            yield f"{department.name}: 緊急のFAXを知らせる先がありません ([[alert]] か [[sink]] を書いてください)"
        elif own and not _for_the_hour(own, there=False):
            yield f'{department.name}: 夜間・休日に知らせる先がありません (when = "out_of_hours")'


def _urgent_departments(config: Config, taxonomy: Taxonomy) -> list[Department]:
    organisation = config.organisation
    served = [department_for(organisation, kind) for kind in taxonomy.types if kind.critical]
    ruled = [organisation.department(rule.department) for rule in organisation.rules if rule.urgent]
    lines = [organisation.department(line.department) for line in organisation.lines]
    return list({one.id: one for one in (*served, *ruled, *lines) if one is not None}.values())


def holidays_unknown(moment: datetime) -> str:
    """Empty, or a sentence when the holidays of this year are only calculated."""
    if holidays_known(moment.year):
        return ""
    return f"{moment.year}年の祝日は計算によるものです。faxless を新しい版にしてください (public holidays may be wrong)"
