"""The commands. Data goes to standard output, progress and logs to standard error.

Exit 0: done; 1: the thing asked for failed; 2: wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from tqdm import tqdm

from gateway import backlog, directory, house, log, machine, traffic
from gateway.config import Config, load
from gateway.errors import BadTable, ConfigError, GatewayError, UsageError
from gateway.inbox import Query
from gateway.models import TOKYO, State, month_of, now
from gateway.store import Store
from gateway.table import decode
from ocr import engine as engines
from ocr.errors import ReadingError
from routing import taxonomy
from routing.contradictions import idle_rules
from routing.decide import kinds_of
from routing.delivery import SinkMistake
from routing.errors import ListError, RoutingError
from routing.hours import KNOWN_TO
from routing.model import packaged
from routing.rules import named

DONE, FAILED, WRONG = 0, 1, 2
CONFIGURATION = "設定 configuration"
BUILT = 2026
"""No clock can be right that shows an earlier year."""
_PERSONAL = "患者を特定できる項目も出します (fields that tell who the patient is, too)"
MOST = 1_000_000
ROLES = ("smtp", "worker", "web")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    os.umask(0o077)  # faxes are for nobody else on this machine
    parser = _parser()
    words = parser.parse_args(argv)
    if words.run is None:
        parser.print_help(sys.stderr)
        return WRONG
    log.to_stderr(words.verbose)
    try:
        return int(words.run(load(words.config), words) or DONE)
    except ConfigError as error:
        if words.run is _check:
            return _told_findings(words, [(CONFIGURATION, False, mistake) for mistake in error.mistakes], WRONG)
        return _complain(error.mistakes, WRONG)
    except BadTable as error:
        return _complain(error.mistakes, FAILED)
    except (ListError, SinkMistake) as error:
        return _complain((str(error),), WRONG)
    except (GatewayError, ReadingError, RoutingError, OSError, SQLAlchemyError) as error:
        return _complain((_sentence(error),), FAILED)
    except KeyboardInterrupt:
        return FAILED


def _complain(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return code


def _sentence(error: Exception) -> str:
    """What to tell the person; never an exception's internals."""
    if isinstance(error, SQLAlchemyError):
        return "データベースが答えません。storage.database と、動いているかを確認してください (no database)"
    if isinstance(error, OSError):
        return f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="faxless", description="FAXをメールで受け、読み、振り分け、数えます。")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="設定ファイル (default: config.toml)")
    parser.add_argument("--json", action="store_true", default=False, help="結果を JSON で出します")
    parser.add_argument("--verbose", action="store_true", help="経過も標準エラーに出します")
    commands = parser.add_subparsers(metavar="COMMAND")
    parser.set_defaults(run=None)

    def command(name: str, run: Callable[[Config, argparse.Namespace], int | None], help: str) -> Any:
        sub = commands.add_parser(name, help=help, description=help)
        # Also behind the command; SUPPRESS keeps a --json written before it.
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="結果を JSON で出します")
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "SMTP・読み取り・画面を動かします (run the gateway)")
    serve.add_argument("--roles", default=",".join(ROLES), help="smtp,worker,web のうち動かすもの")

    send = command("send", _send, "複合機のふりをしてFAXを送ります (play a fax machine)")
    send.add_argument("files", nargs="+", type=Path, metavar="FILE")
    send.add_argument("--to", required=True, metavar="ADDR")
    send.add_argument("--caller", default="", metavar="NUMBER")
    send.add_argument("--machine", default="ricoh", choices=machine.STYLES)

    replay = command("replay", _replay, "読み取りと判定だけを試します。何も書きません (try a fax, write nothing)")
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE")
    replay.add_argument("--line", default="", help="どの回線に届いたことにするか (default: the first)")
    replay.add_argument("--personal", action="store_true", help=_PERSONAL)
    replay.add_argument("--explain", action="store_true", help="各ページをどう読んだかを絵にします (a picture a page)")
    replay.add_argument(
        "--out", type=Path, default=Path("explain"), metavar="DIR", help="絵の置き場所 (default: explain)"
    )

    backlog_ = command("import", _import, "たまっている .eml / .mbox / Maildir を取り込みます (take a backlog in)")
    backlog_.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    backlog_.add_argument("--line", default="", help="宛先から分からないときの回線")

    list_ = command("list", _list, "FAXの一覧、新しい順 (faxes, newest first)")
    list_.add_argument("--department")
    list_.add_argument("--state", choices=[str(state) for state in State])
    list_.add_argument("--since", type=_moment, metavar="DATE")
    list_.add_argument("--limit", type=_positive, default=50)

    show = command("show", _show, "一件のすべて (everything known of one fax)")
    show.add_argument("id")
    show.add_argument("--personal", action="store_true", help=_PERSONAL)

    command("requeue", _requeue, "もう一度、読むところからやり直します (run again)").add_argument("id")

    route = command("route", _route, "部署と種別を正します (correct department and type)")
    route.add_argument("id")
    route.add_argument("--to", required=True, metavar="DEPARTMENT")
    route.add_argument("--type", required=True)

    learn = command("learn", _learn, "訂正から学び直し、劣らなければ替えます (retrain from corrections)")
    learn.add_argument("--back", action="store_true", help="ひとつ前のモデルに戻します (back to the former model)")

    proof = command("evaluate", _evaluate, "正解のあるFAXのフォルダで正確さを測ります (accuracy on faxes with truth)")
    proof.add_argument("folder", type=Path, metavar="DIR")
    proof.add_argument("--page", type=Path, metavar="FILE.html", help="曲線を描いたページを書きます (write a page)")

    count = command("traffic", _traffic, "月ごとの件数と削減率 (volumes against baseline and target)")
    count.add_argument("--from", dest="first", metavar="YYYY-MM")
    count.add_argument("--to", dest="last", metavar="YYYY-MM")
    count.add_argument("--by", default="", help="bureau,department,purpose,sender,machine,line")
    count.add_argument("--csv", action="store_true", help="CSV で出します")

    for name, told in (
        ("baseline", "基準年の件数 (the base year's counts)"),
        ("register", "使用簿: ゲートウェイを通らないFAX (faxes that never pass the gateway)"),
    ):
        table = command(name, _table, told)
        table.add_argument("action", choices=("import",))
        table.add_argument("file", type=Path, metavar="FILE.csv")
        table.set_defaults(table=name)

    known = command("directory", _directory, "発信元の台帳 (who sends: institutions and their numbers)")
    known.add_argument("action", choices=("import", "list", "show", "merge", "proposals"))
    known.add_argument("words", nargs="*", metavar="FILE.csv | WORDS | ID | ID INTO")

    rules = command("rules", _rules, "規則を、最近のFAXで試します。何も書きません (try the rules, write nothing)")
    rules.add_argument("action", choices=("test",))
    rules.add_argument("--last", type=_positive, default=200, metavar="N", help="何件で試すか (default: 200)")

    command(
        "check", _check, "設定・データベース・スプール・読み取り・ディスク・時計を調べます (every mistake in one run)"
    )

    save = command("backup", _backup, "動いているまま、すべてを一つのファイルに写します (everything into one file)")
    save.add_argument("file", type=Path, metavar="FILE")

    back = command("restore", _restore, "空の faxless をバックアップから作り直します (an empty house out of a backup)")
    back.add_argument("file", type=Path, metavar="FILE")
    back.add_argument("--check", action="store_true", help="確かめるだけで、何も書きません (write nothing)")

    audit = command("audit", _audit, "経過の記録が書き換えられていないかを確かめます (was what happened tampered with)")
    audit.add_argument("action", choices=("verify",))
    audit.add_argument("--head", default="", metavar="NUMBER:HASH", help="控えておいた先頭と照らし合わせます")

    user = command("user", _user, "利用者 (people and API tokens)")
    user.add_argument("action", choices=("add", "list", "disable", "enable", "password"))
    user.add_argument("name", nargs="?", default="")
    user.add_argument("--role", choices=("clerk", "manager", "admin"))
    user.add_argument("--department", action="append", default=[], help="見てよい部署。なければすべて (default: all)")
    user.add_argument("--token", action="store_true", help="API トークンを作ります")
    return parser


# ---- the gateway ----------------------------------------------------------------------------------


def _serve(config: Config, words: argparse.Namespace) -> int:
    roles = [role for role in words.roles.split(",") if role]
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        return _complain((f"--roles {words.roles}: {', '.join(ROLES)} から選んでください",), WRONG)
    from gateway.carrier import sink_mistakes

    wrong = sink_mistakes(config)
    if wrong:
        raise ConfigError(tuple(f"{config.path}: {mistake}" for mistake in wrong))
    engines.probe(config.ocr.engine)  # what would fail at the first fax fails now
    from gateway import service  # a command loads only what it needs: this one, everything

    asyncio.run(service.serve(config, roles, verbose=words.verbose))
    return DONE


def _send(config: Config, words: argparse.Namespace) -> int:
    host, _, port = config.smtp.listen.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - sending, not listening
    call = machine.Call(to=words.to, caller=words.caller, style=words.machine)
    answers = []
    for file in tqdm(words.files, unit="fax", disable=len(words.files) < 2, file=sys.stderr):
        answer = machine.post(machine.letter(file, call), words.to, host, int(port))
        answers.append(
            {"file": str(file), "to": words.to, "answer": answer, "ids": answer.split("Kept as ")[-1].split()}
        )
    _print(words, answers, lambda sent: f"{sent['file']} → {sent['to']}: 250 {sent['answer']}")
    return DONE


def _replay(config: Config, words: argparse.Namespace) -> int:
    from gateway.rehearsal import rehearse  # loads the readers

    with rehearse(config, words.line) as stage:
        files = tqdm(words.files, unit="fax", disable=len(words.files) < 2, file=sys.stderr)
        faxes = [stage.play(file, words.out if words.explain else None, personal=words.personal) for file in files]
    _print(words, faxes, _told)
    return DONE


def _import(config: Config, words: argparse.Namespace) -> int:
    with house.open_house(config) as home:
        mails = list(backlog.find(words.paths))
        result = backlog.take(home.intake, home.store, tqdm(mails, unit="mail", file=sys.stderr), words.line)
    _print(
        words, result, lambda done: f"取り込み {done['taken']}  既にあり {done['known']}  回線不明 {done['no_line']}"
    )
    return FAILED if result["no_line"] else DONE


# ---- faxes ----------------------------------------------------------------------------------------


def _list(config: Config, words: argparse.Namespace) -> int:
    if words.department and config.organisation.department(words.department) is None:
        return _complain((f"部署「{words.department}」がありません (no such department)",), WRONG)
    query = Query(department=words.department, state=words.state, since=words.since, limit=words.limit)
    with house.open_house(config) as home:
        faxes, _ = home.store.inbox.find(query)
        _print(words, home.desk.as_json(faxes), _row)
    return DONE


def _show(config: Config, words: argparse.Namespace) -> int:
    with house.open_house(config) as home:
        _print(words, home.desk.with_pages(home.desk.fax(words.id), personal=words.personal), _told)
    return DONE


def _requeue(config: Config, words: argparse.Namespace) -> int:
    with house.open_house(config) as home:
        _print(words, home.desk.as_json([home.desk.requeue(words.id, _me())])[0], _row)
    return DONE


def _route(config: Config, words: argparse.Namespace) -> int:
    with house.open_house(config) as home:
        fax = home.desk.correct(words.id, _me(), words.to, words.type)
        _print(words, home.desk.as_json([fax])[0], _row)
    return DONE


def _me() -> str:
    return "administrator"


# ---- knowing --------------------------------------------------------------------------------------


def _learn(config: Config, words: argparse.Namespace) -> int:
    from gateway.learning import School

    with house.open_house(config) as home:
        if words.back:
            return _unlearn(home, words)
        school = School(config, home.store, home.spool, home.desk.taxonomy, home.diseases)
        lesson = school.learn(_me(), _bar)
    _print(words, lesson.as_json(), _told_lesson)
    return DONE


def _unlearn(home: house.House, words: argparse.Namespace) -> int:
    put_aside = home.store.lessons.back_to_former(_me())
    if put_aside is None:
        return _complain(("学習したモデルはありません。製品のモデルを使っています (nothing was learned)",), FAILED)
    aside, former = put_aside
    told = {"put_aside": aside.sha256, "in_use": former.sha256 if former else None}
    which = f"{former.at.astimezone(TOKYO):%Y-%m-%d %H:%M} のモデル" if former else "製品のモデル"
    _print(words, told, lambda _: f"{which}に戻しました。")
    return DONE


def _told_lesson(lesson: dict[str, Any]) -> str:
    lines = [lesson["why"], f"訂正 {lesson['corrections']}件(新しいもの {lesson['new']}件)"]
    for name, title in (("candidate", "新しいモデル"), ("in_use", "今までのモデル")):
        if figures := lesson[name]:
            lines.append(
                f"{title}: 緊急の検出 {_percent(figures['urgent_recall'])}  振り分けの正しさ"
                f" {_percent(figures['routed_right'])}  自動 {_percent(figures['routed'])} ({figures['faxes']}件で)"
            )
    return "\n".join(lines)


def _evaluate(config: Config, words: argparse.Namespace) -> int:
    from gateway import evaluation  # loads the readers

    if not words.folder.is_dir():
        return _complain((f"{words.folder}: フォルダがありません (no such folder)",), WRONG)
    result = evaluation.evaluate(config, words.folder, _bar)
    if words.page:
        words.page.write_text(evaluation.page(result, str(words.folder)), "utf-8")
    _print(words, result.as_json(), evaluation.text)
    return DONE


# ---- the count ------------------------------------------------------------------------------------


def _traffic(config: Config, words: argparse.Namespace) -> int:
    last = words.last or month_of(now())
    with house.open_house(config) as home:
        first = words.first or min(home.store.ledger.first_month() or last, last)
        by = [dimension for dimension in words.by.split(",") if dimension]
        try:
            report = traffic.report(home.store, config.organisation, config.traffic, first, last, by)
        except UsageError as error:
            return _complain((str(error),), WRONG)
    if words.csv:
        sys.stdout.write(traffic.as_csv(report))
    elif words.json:
        _print(words, traffic.as_json(report), str)
    else:
        print(_table_of(report))
    return DONE


def _table_of(report: traffic.Report) -> str:
    lines = [
        f"{'月':<8}{'基準月':<9}{'全受信':>8}{'基準':>8}{'削減率':>9}{'紙FAX':>8}{'基準':>8}{'削減率':>9}{'目標':>8}"
    ]
    for month in report.months:
        arrivals, paper = month.arrivals, month.paper
        cells = [f"{month.month:<9}", f"{month.base_month:<11}"]
        for count, recorded in ((arrivals, month.recorded["arrivals"]), (paper, month.recorded["paper"])):
            share = _percent(count.reduction) if recorded else "記録なし"
            cells += [f"{count.count:>10}", f"{_or_dash(count.base):>10}", f"{share:>10}"]
        cells += [f"{_percent(month.target):>9}", " 暫定" if month.provisional else ""]
        lines.append("".join(cells).rstrip())
        apart = "  ".join(f"{reason} {number}" for reason, number in month.excluded.items() if number)
        if apart:
            lines.append(f"         数えないもの: {apart}")
        for dimension, groups in month.by.items():
            lines += [
                f"  {dimension} {value or '-'}: 全受信 {group.arrivals.count} ({_percent(group.arrivals.reduction)})"
                f"  紙 {group.paper.count} ({_percent(group.paper.reduction)})"
                for value, group in groups.items()
            ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f}%"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _table(config: Config, words: argparse.Namespace) -> int:
    text = decode(words.file.read_bytes())
    with house.open_house(config) as home:
        if words.table == "baseline":
            baseline = traffic.read_baseline(text)
            result = {"rows": len(baseline), "new": home.store.ledger.save_baseline(baseline, _me())}
        else:
            entries = traffic.read_register(text)
            result = {"rows": len(entries), "new": home.store.ledger.save_register(entries, _me())}
    _print(words, result, lambda done: f"{done['rows']}行を読み、{done['new']}行を取り込みました。")
    return DONE


# ---- who sends, and the rules -----------------------------------------------------------------------


def _directory(config: Config, words: argparse.Namespace) -> int:
    wanted = {"import": 1, "show": 1, "merge": 2, "proposals": 0}.get(words.action)
    if wanted is not None and len(words.words) != wanted:
        return _complain((f"directory {words.action}: 引数は{wanted}個です (so many words)",), WRONG)
    with house.open_house(config) as home:
        return _DIRECTORY[words.action](home.store, words)


def _directory_import(store: Store, words: argparse.Namespace) -> int:
    done = directory.take(store, Path(words.words[0]).read_bytes(), _me())
    _print(words, done, _told_import)
    return DONE


def _told_import(done: dict[str, Any]) -> str:
    lines = [f"{done['institutions']}機関を読み、{done['new']}を加え、{done['changed']}を改めました。"]
    lines += [
        f"注意: {number} は {'、'.join(names)} のどれか分かりません" for number, names in done["ambiguous"].items()
    ]
    return "\n".join(lines)


def _directory_list(store: Store, words: argparse.Namespace) -> int:
    found = directory.find(store.institutions.directory(), " ".join(words.words))
    _print(words, [directory.as_json(entry) for entry in directory.entries(store, found)], _institution_row)
    return DONE


def _institution_row(one: dict[str, Any]) -> str:
    numbers = " ".join(one["numbers"])
    return f"{one['id']:<14} {one['faxes']:>5}  {one['kind'] or '-':<12} {one['name']}  {numbers}".rstrip()


def _directory_show(store: Store, words: argparse.Namespace) -> int:
    (entry,) = directory.entries(store, [directory.one_of(store.institutions.directory(), words.words[0])])
    _print(words, directory.as_json(entry), _told_institution)
    return DONE


def _told_institution(one: dict[str, Any]) -> str:
    told = [f"  {name}: {value}" for name, value in one.items() if value not in (None, "", [])]
    return "\n".join([one["name"], *told])


def _directory_merge(store: Store, words: argparse.Namespace) -> int:
    drop, into = words.words
    store.institutions.merge(drop, into, _me())
    (entry,) = directory.entries(store, [directory.one_of(store.institutions.directory(), into)])
    _print(words, directory.as_json(entry), _institution_row)
    return DONE


def _directory_proposals(store: Store, words: argparse.Namespace) -> int:
    found = [directory.proposal_json(one) for one in directory.proposals(store)]
    _print(words, found, lambda one: f"{one['number']:<15} {one['faxes']:>5}  {one['kind'] or '-':<12} {one['name']}")
    return DONE


_DIRECTORY: dict[str, Callable[[Store, argparse.Namespace], int]] = {
    "import": _directory_import,
    "list": _directory_list,
    "show": _directory_show,
    "merge": _directory_merge,
    "proposals": _directory_proposals,
}


def _rules(config: Config, words: argparse.Namespace) -> int:
    from gateway import trial
    from gateway.learning import Learned
    from gateway.pipeline import Pipeline
    from gateway.reader import Limits, Readers

    with house.open_house(config) as home:
        readers = Readers(home.spool, config.ocr.engine, 1, Limits.of(config.ocr))  # none is started: nothing is read
        try:
            learned = Learned(home.store, home.spool)
            pipeline = Pipeline(config, home.store, home.spool, readers, home.desk.taxonomy, home.diseases, learned)
            tried = trial.over(
                home.store, pipeline.judge, words.last, lambda faxes: tqdm(faxes, unit="fax", file=sys.stderr)
            )
        finally:
            readers.close()
    _print(words, trial.as_json(tried), _told_trial)
    return DONE


def _told_trial(told: dict[str, Any]) -> str:
    lines = [_told_change(one) for one in told["changed"]]
    changes = "  ".join(f"{_DECIDED[name]} {count}件" for name, count in told["summary"].items())
    lines.append(f"{told['faxes']}件のうち変わらないもの {told['unchanged']}件、変わるもの: {changes}")
    lines += [f"  規則「{rule}」 {count}件" for rule, count in told["rules"].items()]
    by_person = told["corrected"]
    if by_person["faxes"]:
        lines.append(
            f"人が訂正した {by_person['faxes']}件では、正しくなるもの {by_person['right']}件、"
            f"要確認になるもの {by_person['held']}件、誤りになるもの {by_person['wrong']}件"
        )
    return "\n".join(lines)


def _told_change(one: dict[str, Any]) -> str:
    before, after = one["before"], one["after"]
    changes = [f"{_DECIDED[name]} {_plainly(before[name])} → {_plainly(after[name])}" for name in one["changes"]]
    rule = f"  規則「{one['rule']}」" if one["rule"] else ""
    person = {"right": "  人の訂正と同じ", "wrong": "  人の訂正と違う", "held": "  人の訂正あり"}.get(
        one["corrected"], ""
    )
    return f"{one['id']}  {'、'.join(changes)}{rule}{person}"


_DECIDED = {"department": "部署", "type": "種別", "urgent": "緊急", "held": "要確認"}


def _plainly(value: str | bool | None) -> str:
    return {None: "-", True: "はい", False: "いいえ"}.get(value, value)  # type: ignore[arg-type, return-value]


# ---- care -----------------------------------------------------------------------------------------


def _check(config: Config, words: argparse.Namespace) -> int:
    return _told_findings(words, list(_findings(config)), FAILED)


def _told_findings(words: argparse.Namespace, found: Sequence[tuple[str, bool, str]], failed: int) -> int:
    ok = all(fine for _, fine, _ in found)
    result = {"ok": ok, "checks": [{"what": what, "ok": fine, "detail": detail} for what, fine, detail in found]}
    _print(
        words,
        result,
        lambda told: "\n".join(f"{'OK' if c['ok'] else 'NG'}  {c['what']}: {c['detail']}" for c in told["checks"]),
    )
    return DONE if ok else failed


def _findings(config: Config) -> Iterator[tuple[str, bool, str]]:
    from gateway.carrier import sink_mistakes

    yield CONFIGURATION, True, str(config.path)
    try:
        with house.open_house(config) as home:
            yield "データベース database", True, home.engine.url.render_as_string(hide_password=True)
            yield _spool_finding(home)
            yield _dead_sinks(home)
            yield _rules_finding(config, home)
    except (GatewayError, OSError, SQLAlchemyError) as error:
        yield "データベースとスプール database and spool", False, _sentence(error)
    wrong = sink_mistakes(config)
    yield "配信先 sinks", not wrong, "; ".join(wrong) or f"{len(config.sinks)}"
    yield from _alert_findings(config)
    yield "回線 lines", bool(config.organisation.lines), _lines_told(config)
    yield "部署 departments", True, _departments_told(config)
    allowed = len(config.smtp.allow)
    yield "接続元 clients", bool(allowed), f"{allowed}" if allowed else "smtp.allow が空です (nobody may connect)"
    yield _tls_finding(config)
    try:
        yield "読み取り OCR", True, engines.load(config.ocr.engine).name  # as each reading process will
    except ReadingError as error:
        yield "読み取り OCR", False, f"{error}{error.advice}"
    try:
        packaged()
        yield "学習モデル model", True, "OK"
    except RoutingError as error:
        yield "学習モデル model", False, str(error)
    free = shutil.disk_usage(config.data if config.data.is_dir() else config.data.parent).free
    yield "ディスク disk", free > house.LEAST_FREE, f"空き {free >> 20} MB"
    yield "時計 clock", now().year >= BUILT, f"{now().astimezone(TOKYO):%Y-%m-%d %H:%M:%S} (Asia/Tokyo)"


def _alert_findings(config: Config) -> Iterator[tuple[str, bool, str]]:
    from gateway.alerts import holidays_unknown, unguarded

    kinds = taxonomy.load(config.overrides)
    weak = list(unguarded(config, kinds))
    yield "緊急の連絡 alerts", True, f"注意: {'; '.join(weak)}" if weak else f"{len(config.alerts)}"
    unknown = holidays_unknown(now().astimezone(TOKYO))
    yield "祝日 holidays", True, f"注意: {unknown}" if unknown else f"{KNOWN_TO}年まで"


def _dead_sinks(home: house.House) -> tuple[str, bool, str]:
    dead = home.desk.silent_sinks()
    told = "; ".join(
        f"{sink.id}: 最後に届いたのは {sink.taken_at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
        if sink.taken_at
        else f"{sink.id}: 一度も届いていません"
        for sink in dead
    )
    return "配信の状態 deliveries", not dead, told or "OK"


def _rules_finding(config: Config, home: house.House) -> tuple[str, bool, str]:
    """Rules that no fax can meet. What stands wrong in one is a mistake of the file, and was told before."""
    known, rules = home.store.institutions.directory(), config.organisation.rules
    wrong = [why for _, why in idle_rules(config.organisation)]
    wrong += [
        f"規則「{rule.name}」の発信元「{rule.when.institution}」が台帳にありません (not in the directory)"
        for rule in rules
        if rule.when.institution.strip() and not any(named(rule.when.institution, one) for one in known.institutions)
    ]
    return "規則 rules", not wrong, "; ".join(wrong) or f"{len(rules)}"


def _spool_finding(home: house.House) -> tuple[str, bool, str]:
    try:
        home.spool.try_out()
    except GatewayError as error:
        return "スプール spool", False, f"{home.spool}: {error}"
    return "スプール spool", True, str(home.spool)


def _tls_finding(config: Config) -> tuple[str, bool, str]:
    from gateway.smtp import tls_context

    where = "暗号化 TLS"
    try:
        if tls_context(config.smtp) is None:
            wanted = not config.old_tls
            return where, wanted, "なし none" if wanted else "old_tls には smtp.tls_certificate が要ります"
    except OSError as error:  # ssl.SSLError is one
        return where, False, f"smtp.tls_certificate: {error.filename or ''} {error.strerror or error}".strip()
    if not config.old_tls:
        return where, True, "TLS 1.2 以上"
    weak = "; ".join(f"{line}: {', '.join(networks)}" for line, networks in config.old_tls.items())
    return where, True, f"注意: 古い TLS 1.0 を許しています。機器を入れ替えたら old_tls を消してください ({weak})"


def _lines_told(config: Config) -> str:
    lines = config.organisation.lines
    homeless = [line.id for line in lines if not line.department]
    if not lines:
        return "[[line]] がひとつもありません (no line: every mail is refused)"
    if homeless:
        return f"{len(lines)}  注意: {', '.join(homeless)} に部署がなく、判断できないFAXは「部署未定」に置かれます"
    return f"{len(lines)}"


def _departments_told(config: Config) -> str:
    """A kind written otherwise than in the list of types leaves its faxes to the line's department without a word."""
    known = {kind for one in taxonomy.load(config.overrides).types for kind in kinds_of(one)}
    told = [
        f"部署「{one.id}」の kind「{kind}」は文書種別表の「宛先の種類」にありません (no such kind)"
        for one in config.organisation.departments
        for kind in one.kind.split("|")
        if kind and kind not in known
    ]
    return f"注意: {'; '.join(told)}" if told else f"{len(config.organisation.departments)}"


def _backup(config: Config, words: argparse.Namespace) -> int:
    from gateway import backup

    with house.open_house(config) as home:
        contents = backup.write(home, words.file, _bar)
        home.store.note(_me(), "backup", faxes=contents.tables["fax"])
    result = {"file": str(words.file), "size": words.file.stat().st_size, **contents.as_json()}
    _print(words, result, _told_backup)
    if contents.missing:
        lost = len(contents.missing)
        return _complain(
            (f"スプールにないか壊れている原本・画像が{lost}件あります (bytes missing or damaged)",), FAILED
        )
    return DONE


def _restore(config: Config, words: argparse.Namespace) -> int:
    from gateway import backup

    with words.file.open("rb") as source:
        if words.check:
            contents = backup.check(source, _bar)
        else:
            with house.open_house(config) as home:
                contents = backup.restore(home, source, _bar)
    _print(words, {"file": str(words.file), **contents.as_json()}, _told_backup)
    return DONE


def _bar(total: int, unit: str) -> Any:
    rarely = 0.1 if sys.stderr.isatty() else 30.0  # in a timer's journal a line now and then
    return tqdm(total=total, unit=unit, unit_scale=unit == "B", mininterval=rarely, file=sys.stderr)


def _told_backup(told: dict[str, Any]) -> str:
    spool = told["spool"]
    return (
        f"{told['file']}: FAX {told['faxes']}件、原本と画像 {spool['files']}個 {spool['bytes'] >> 20} MB"
        f" ({told['created_at'][:19]} UTC、faxless {told['faxless']})"
        + "".join(f"\n  ないか壊れているもの SHA-256 {digest}" for digest in spool["missing"])
    )


BREAKS = {
    "changed": "記録が書き換えられています (an event was changed)",
    "deleted": "記録が消されています (an event was deleted)",
    "inserted": "あとから差し込まれた記録があります (an event was inserted afterwards)",
    "unchained": "鎖の一部が消されています (a place of the chain is gone)",
    "head": "控えておいた先頭が鎖にありません。作り直されたか、切り詰められています (the head is not in the chain)",
}
"""What `audit verify` says of a broken place."""


def _audit(config: Config, words: argparse.Namespace) -> int:
    from gateway import audit

    known = audit.head_of(words.head) if words.head else None
    with house.open_house(config) as home:
        verdict = audit.verify(home.store, _bar, known)
    _print(words, verdict.as_json(), _told_audit)
    return FAILED if verdict.first else DONE


def _told_audit(told: dict[str, Any]) -> str:
    lines = [f"記録 {told['events']}件を確かめました。まだ鎖に入っていない新しい記録 {told['waiting']}件"]
    if told["waiting"]:
        lines[0] += f"({told['waits_since'][:19]} UTC から)"
    if told["head"]:
        lines.append(f"先頭 {told['head']} (控えておき、次から --head で照らし合わせてください: keep this elsewhere)")
    first = told["first_broken"]
    if first is None:
        return "\n".join([f"OK  {lines[0]}", *lines[1:]])
    place = [f"{name} {first[name]}" for name in ("number", "event", "fax", "at") if first[name] is not None]
    return "\n".join([f"NG  {BREAKS[first['what']]}: {', '.join(place)}。全部で{told['broken']}か所", *lines])


def _user(config: Config, words: argparse.Namespace) -> int:
    with house.open_house(config) as home:
        if words.action == "list":
            people = [
                {"name": u.name, "role": u.role, "departments": u.departments, "disabled": u.disabled}
                for u in home.store.people.users()
            ]
            _print(words, people, lambda u: f"{u['name']:<16}{u['role']:<9}{','.join(u['departments'])}"
                   + ("  停止中" if u["disabled"] else ""))  # fmt: skip
            return DONE
        if not words.name and not words.token:
            return _complain(("利用者の名前を書いてください (name the user)",), WRONG)
        if words.action in ("disable", "enable"):
            return _switch(home, words)
        if words.action == "password":
            made = {"name": words.name, "password": house.new_password(home.store, words.name)}
            _print(words, made, lambda new: f"{new['name']}: 一度だけのパスワード {new['password']}")
            return DONE
        return _add(home, words)


def _switch(home: house.House, words: argparse.Namespace) -> int:
    user = home.store.people.user(words.name)
    if user is None:
        return _complain((f"利用者「{words.name}」がいません (no such user)",), FAILED)
    user.disabled = words.action == "disable"
    home.store.people.save(user, _me())
    told = {"name": user.name, "disabled": user.disabled}
    _print(words, told, lambda u: f"{u['name']} を{'停止' if u['disabled'] else '再開'}しました。")
    return DONE


def _add(home: house.House, words: argparse.Namespace) -> int:
    unknown = [d for d in words.department if d != "*" and home.config.organisation.department(d) is None]
    if unknown:
        return _complain((f"部署「{', '.join(unknown)}」がありません (no such department)",), FAILED)
    name = words.name or "api"
    here = home.store.people.user(name)
    if here is not None and (not words.token or words.role or words.department):
        return _complain((f"利用者「{name}」はすでにいます (exists already; its role and departments stay)",), FAILED)
    result: dict[str, Any] = {"name": name}
    if here is None:
        role = words.role or ("clerk" if words.department else "manager")
        password = house.add_user(home.store, name, role, words.department or ["*"])
        result |= {} if words.token else {"password": password}
        here = home.store.people.user(name)
    if words.token:
        result["token"] = secrets.token_urlsafe(32)
        home.store.people.sign_in(result["token"], name, label="api")
    if here is not None:
        result |= {"role": here.role, "departments": here.departments}
    _print(words, result, lambda made: made.get("token") or f"{made['name']}: 一度だけのパスワード {made['password']}")
    return DONE


# ---- printing -------------------------------------------------------------------------------------


def _print(words: argparse.Namespace, data: Any, line: Callable[[Any], str]) -> None:
    if words.json:
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return
    for item in data if isinstance(data, list) else [data]:
        print(line(item))


def _row(fax: dict[str, Any]) -> str:
    mark = "!" if fax["urgent"] else " "
    again = "再送 " if fax["duplicate_of"] else "一部 " if fax["taken_from"] else ""
    return (
        f"{mark}{fax['id']}  {fax['received_at'][:16].replace('T', ' ')}  {fax['state']:<8} {fax['work']:<7} "
        f"{fax['department'] or '-':<10} {fax['document_type'] or '-':<18} {fax['caller'] or '-':<15} {again}"
        f"{fax['pages']}p"
    ).rstrip()


def _told(fax: dict[str, Any]) -> str:
    lines = [_row(fax)]
    if fax["confidence"] is not None:
        lines.append(f"  確度 {fax['confidence']:.2f}")
    lines += [f"  理由: {reason}" for reason in fax["reasons"]]
    lines += [f"  要確認: {reason}" for reason in fax["held_because"]]
    lines += [f"  {name}: {found['value'] or '(黒塗り)'}" for name, found in fax["fields"].items()]
    lines += [f"  {name}: (--personal で表示)" for name in fax["withheld"]]
    lines += [f"  | {line}" for line in fax["text"].splitlines()]
    lines += [f"  → {picture}" for picture in fax.get("pictures", ())]
    return "\n".join(lines)


def _moment(text: str) -> datetime:
    with contextlib.suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=TOKYO)).astimezone(UTC)
    with contextlib.suppress(ValueError, OverflowError):
        if text.endswith("d"):
            return now() - timedelta(days=int(text[:-1]))
    raise argparse.ArgumentTypeError(f"日付「{text}」が読めません (write 2026-11-23)")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"1から{MOST}までの数を書いてください")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
