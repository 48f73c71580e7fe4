"""`make demo`: a gateway of its own, the sample faxes through real SMTP, what became of each, and the month's table."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gateway import machine

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60
PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Demo:
    """A running gateway in a temporary folder."""

    config: Path
    smtp: int
    web: int

    def command(self, *words: str) -> Any:
        """Run a command beside it; gives its JSON."""
        done = subprocess.run([*_faxless(self.config), "--json", *words], capture_output=True, check=True, cwd=ROOT)  # noqa: S603 - ourselves
        return json.loads(done.stdout)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 only when every sample arrived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exit", action="store_true", help="表を出したら終わる (end after the table)")
    words = parser.parse_args(argv)
    with running() as demo:
        sent = send_all(demo)
        faxes = {fax["id"]: fax for fax in wait_for(demo, [fax_id for _, fax_id in sent])}
        missing = [name for name, fax_id in sent if fax_id not in faxes]
        for name, fax_id in sent:
            _say(tell(name, faxes[fax_id]) if fax_id in faxes else f"✗ {name}: 届きませんでした / did not arrive")
        _say("\n今月の件数 / this month")
        subprocess.run([*_faxless(demo.config), "traffic"], check=True, cwd=ROOT)  # noqa: S603
        if not words.exit:
            _stay(demo)
    return 1 if missing else 0


@contextmanager
def running() -> Iterator[Demo]:
    """Start a gateway on free ports and end it with its folder."""
    with tempfile.TemporaryDirectory(prefix="faxless-demo-") as folder:
        smtp, web = _free_port(), _free_port()
        config = Path(folder) / "config.toml"
        written = (ROOT / "config.toml").read_text(encoding="utf-8")
        written = written.replace("127.0.0.1:2525", f"127.0.0.1:{smtp}").replace("127.0.0.1:8080", f"127.0.0.1:{web}")
        config.write_text(written, encoding="utf-8")
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen([*_faxless(config), "serve"], stdout=sys.stdout, stderr=log, cwd=ROOT)  # noqa: S603
        try:
            _wait_ready(process, web, Path(folder) / "log")
            yield Demo(config, smtp, web)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def send_all(demo: Demo) -> list[tuple[str, str]]:
    """Send every sample of the manifest; gives (file, id) of each."""
    samples = json.loads((ROOT / "samples" / "samples.json").read_text(encoding="utf-8"))["samples"]
    sent = []
    for sample in tqdm(samples, desc="送信 sending", unit="fax", file=sys.stderr):
        call = machine.Call(to=sample["line_address"], caller=sample["caller"] or "")
        letter = machine.letter(ROOT / "samples" / sample["file"], call)
        answer = machine.post(letter, call.to, "127.0.0.1", demo.smtp)
        sent.append((sample["file"], answer.partition("Kept as ")[2]))
    return sent


def wait_for(demo: Demo, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The faxes whose journey has ended, with a bar while they are read."""
    until = time.monotonic() + PATIENCE_SECONDS
    with tqdm(total=len(ids), desc="読み取り reading", unit="fax", file=sys.stderr) as bar:
        while True:
            faxes = [fax for fax in demo.command("list", "--limit", "1000") if fax["id"] in ids]
            settled = [fax for fax in faxes if fax["state"] in ("routed", "held")]
            bar.update(len(settled) - bar.n)
            if len(settled) == len(ids) or time.monotonic() > until:
                return settled
            time.sleep(1)


def tell(name: str, fax: dict[str, Any]) -> str:
    """What it is, for whom, why and how sure, in a few lines."""
    urgent = " 【至急】" if fax["urgent"] else ""
    sure = "" if fax["confidence"] is None else f" 確度 {fax['confidence']:.2f}"
    lines = [f"✓ {name} → {fax['department'] or '-'}: {fax['document_type'] or '-'}{urgent}{sure} [{fax['state']}]"]
    lines += [f"    {reason}" for reason in fax["reasons"][:2]]
    lines += [f"    要確認: {reason}" for reason in fax["held_because"]]
    return "\n".join(lines)


def _stay(demo: Demo) -> None:
    _say(f"\n画面 / pages: http://127.0.0.1:{demo.web}/  (Ctrl-C で終わります / ends it)")
    try:
        asyncio.run(asyncio.Event().wait())
    except KeyboardInterrupt:
        _say("")


def _wait_ready(process: subprocess.Popen[bytes], web: int, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(log.read_text(encoding="utf-8"))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/readyz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit("ゲートウェイが起動しません / the gateway does not start")


def _faxless(config: Path) -> list[str]:
    return [shutil.which("faxless", path=str(Path(sys.executable).parent)) or "faxless", "--config", str(config)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a demonstration speaks


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
