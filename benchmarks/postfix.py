"""The peer of the door: Postfix with a configuration, a queue and a port of its own, keeping every mail in hold.

Nothing of the machine's own Postfix is touched or needed beyond its programs. Its master process insists on root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.city import free_port

PATIENCE = 60.0

# HOLD in recipient restrictions: accepted, synced and kept as it is; nothing is looked up or delivered (access(5)).
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = peer.example.jp
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks, reject
message_size_limit = 52428800
alias_maps =
alias_database =
"""
# The services that master(5) ships and that accepting needs; no client of the network among them.
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
showq unix n - n - - showq
"""


def program(name: str) -> str | None:
    """One of Postfix's programs; they lie where a user's PATH does not look."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def why_not() -> str:
    """Why Postfix cannot be run here as the peer; empty when it can."""
    if program("postfix") is None:
        return "no peer: Postfix is not installed (Debian package postfix)"
    if os.geteuid() != 0:
        return "no peer: Postfix can only be started by root"
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        return "no peer: there is no user 'postfix'"
    return ""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix."""

    folder: Path
    port: int

    def held(self) -> int:
        """How many mails lie in its hold queue."""
        return sum(file.is_file() for file in (self.folder / "queue" / "hold").rglob("*"))


@contextlib.contextmanager
def running(base: Path) -> Iterator[Postfix]:
    """Start Postfix in a folder below *base* and stop it at the end.

    Raises `subprocess.CalledProcessError` when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="faxless-postfix-", dir=base) as made:
        folder, port = Path(made), free_port()
        folder.chmod(0o755)  # its processes are not root's
        for part in ("config", "queue", "data"):
            (folder / part).mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "config" / "main.cf").write_text(MAIN.format(folder=folder), "utf-8")
        (folder / "config" / "master.cf").write_text(MASTER.format(port=port), "utf-8")
        _control(folder, "start")
        try:
            yield Postfix(folder, port)
        finally:
            _control(folder, "stop")


def _control(folder: Path, word: str) -> None:
    subprocess.run(
        [str(program("postfix")), "-c", str(folder / "config"), word], check=True, capture_output=True, timeout=PATIENCE
    )
