"""An invented city: its configuration, and a gateway process that runs for it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import Config, load

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"

CITY = """
data = "var"
[smtp]
listen = "127.0.0.1:{smtp}"
max_message_bytes = 2000000
[web]
listen = "127.0.0.1:{web}"
[storage]
database = "{database}"
spool = "{spool}"
[ocr]
workers = {workers}
[[department]]
id = "kansen"
name = "感染症対策課"
kind = "保健所 感染症対策係"
bureau = "保健医療局"
[[department]]
id = "kekkaku"
name = "結核担当"
kind = "保健所 結核担当"
bureau = "保健医療局"
[[department]]
id = "keiyaku"
name = "経理・契約担当"
kind = "経理・契約担当"
bureau = "総務局"
[[department]]
id = "bunsho"
name = "文書担当"
kind = "文書担当"
bureau = "総務局"
[[line]]
id = "hoken"
address = "hoken@fax.example.jp"
number = "+81355550101"
department = "kansen"
machine = "MFP-3F"
[[line]]
id = "shomu"
address = "shomu@fax.example.jp"
number = "+81355550102"
department = "bunsho"
"""


def free_port() -> int:
    """A port of loopback that nobody has at the moment.

    Below those that the system gives to clients (32768 and up): one of these may be anybody's the next moment, and a
    client that calls it while nobody listens may even reach itself.
    """
    while True:
        port = 20000 + secrets.randbelow(12000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def write_city(folder: Path, more: str = "", database: str = "sqlite", workers: int = 1, spool: str = "file") -> Path:
    """config.toml of the invented city; ``more`` is added at its end."""
    path = folder / "config.toml"
    written = CITY.format(smtp=free_port(), web=free_port(), database=database, workers=workers, spool=spool)
    path.write_text(written + more, encoding="utf-8")
    return path


@dataclass
class Gateway:
    """A running gateway process and what one may do to it."""

    path: Path
    process: subprocess.Popen[str]
    log: Path
    token: str = ""
    greeting: list[str] = field(default_factory=list)

    @property
    def config(self) -> Config:
        """Its configuration."""
        return load(self.path)

    @property
    def smtp(self) -> tuple[str, int]:
        """Where its door is."""
        host, _, port = self.config.smtp.listen.rpartition(":")
        return host, int(port)

    def command(self, *words: str, ok: bool = True) -> Any:
        """Run a command beside it; gives its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "--config", str(self.path), "--json", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if ok:
            assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else done

    def mail(self, raw: bytes, to: str = "hoken@fax.example.jp", sender: str = "mfp@fax.example.jp") -> list[str]:
        """Send a mail as it is; gives the ids of its faxes; any other answer than 250 is an SMTPResponseException."""
        with smtplib.SMTP(*self.smtp, timeout=30) as client:
            client.ehlo("mfp")
            for code, said in (client.mail(sender), client.rcpt(to), client.data(raw)):
                if code != 250:
                    raise smtplib.SMTPResponseException(code, said)
        return said.decode().partition("Kept as ")[2].split()

    def ask(self, path: str) -> Any:
        """A JSON page of its API."""
        request = urllib.request.Request(
            f"http://{self.config.web.listen}{path}", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def settled(self, fax_id: str, seconds: float = 90) -> dict[str, Any]:
        """The fax once its journey has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            fax: dict[str, Any] = self.ask(f"/api/v1/faxes/{fax_id}")
            if fax["state"] in ("routed", "held", "failed"):
                return fax
            time.sleep(0.1)
        raise AssertionError(f"{fax_id} did not settle: {fax['state']}\n{self.log.read_text()[-3000:]}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def start(
    path: Path, *words: str, program: Sequence[str] = ("-m", "gateway.cli"), env: Mapping[str, str] | None = None
) -> Gateway:
    """Start a gateway, a process group of its own, and wait until it can accept; ``env`` is added to ours."""
    log = path.parent / "gateway.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, *program, "--config", str(path), "serve", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    running = Gateway(path=path, process=process, log=log)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(urllib.error.URLError, OSError):
            if is_ready(running, words):
                return running
        time.sleep(0.05)
    running.stop()
    raise AssertionError(f"not ready: {log.read_text()[-3000:]}")


def is_ready(running: Gateway, words: tuple[str, ...]) -> bool:
    """Whether its door is open and its pages say that it can accept."""
    roles = words[-1] if words else "smtp,worker,web"
    if "smtp" in roles:
        with socket.create_connection(running.smtp, timeout=30) as wire:
            if wire.recv(3) != b"220":
                return False
    if "web" not in roles:
        return True
    with urllib.request.urlopen(f"http://{running.config.web.listen}/readyz", timeout=60) as answer:
        return bool(answer.status == 200)


@contextlib.contextmanager
def gateway_at(path: Path) -> Iterator[Gateway]:
    """A gateway that is stopped at the end, with a token to ask it."""
    running = start(path)
    try:
        running.token = running.command("user", "add", "tests", "--token")["token"]
        yield running
    finally:
        running.stop()
