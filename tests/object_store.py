"""An S3-compatible object store of a test's own (SeaweedFS), which can be stopped in the middle and started again."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import obstore

from gateway.bucket import Bucket, Keys, Place
from gateway.errors import SpoolAway
from tests.city import free_port

WEED = Path(sysconfig.get_path("scripts")) / "weed"
KEYS = Keys("FAXLESSTEST", "invented secret")
BUCKET = "faxes"


@dataclass
class ObjectStore:
    """One server in a temporary folder on free ports."""

    folder: Path
    certificate: Path | None = None
    """PEM of certificate and key: then it speaks TLS only."""
    ports: list[int] = field(default_factory=lambda: [free_port() for _ in range(8)])
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """For ``storage.s3.endpoint``."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.ports[0]}"

    @property
    def place(self) -> Place:
        """Our bucket in it."""
        trusted = self.certificate.read_bytes() if self.certificate else b""
        return Place(BUCKET, "city/spool", endpoint=self.endpoint, certificate=trusted)

    def start(self) -> None:
        """Start it, and wait until it keeps something."""
        allowed = {"accessKey": KEYS.access, "secretKey": KEYS.secret}
        who = {"identities": [{"name": "faxless", "credentials": [allowed], "actions": ["Admin"]}]}
        (self.folder / "who.json").write_text(json.dumps(who))
        names = ("s3", "s3", "master", "master", "volume", "volume", "filer", "filer")
        ports = [
            f"-{name}.port{'.grpc' if index % 2 else ''}={port}"
            for index, (name, port) in enumerate(zip(names, self.ports, strict=True))
        ]
        tls = [f"-s3.cert.file={self.certificate}", f"-s3.key.file={self.certificate}"] if self.certificate else []
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(WEED, "-logtostderr", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}"),
                    *(
                        "-filer",
                        "-s3",
                        f"-s3.config={self.folder / 'who.json'}",
                        "-s3.iam=false",
                        "-master.telemetry=false",
                    ),
                    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=20"),
                    *(
                        "-master.electionTimeout=1s",
                        "-master.heartbeatInterval=100ms",
                        "-master.telemetry=false",
                        *ports,
                        *tls,
                    ),
                ],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while True:
            try:
                return self.spool(self.folder / "probe").try_out()
            except SpoolAway:
                assert time.monotonic() < until, (self.folder / "log").read_text()[-3000:]
                assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop it at once (it takes 25 s to leave by itself); what it keeps, it keeps."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=60)
            self.process = None

    def spool(self, folder: Path, keys: Keys = KEYS) -> Bucket:
        """A spool in it, as one host sees it."""
        return Bucket(folder, self.place, keys)

    def overwrite(self, digest: str, data: bytes) -> None:
        """Damage what it keeps, as no spool would."""
        obstore.put(self.spool(self.folder)._store, f"{digest[:2]}/{digest}", data)


@contextlib.contextmanager
def object_store(certificate: Path | None = None) -> Iterator[ObjectStore]:
    """A running one, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="faxless-s3-"))
    store = ObjectStore(folder, certificate)
    try:
        store.start()
        yield store
    finally:
        store.stop()
        shutil.rmtree(folder, ignore_errors=True)
