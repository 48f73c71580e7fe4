"""The spool in an S3-compatible object store: several hosts, one memory. The only file that knows obstore.

What :meth:`gateway.spool.Arrival.keep` promises is the same: when it has returned, the store has answered that it keeps
the bytes under their sha256. Until then they lie in a file of this host, so that memory stays bounded. The store checks
what it is sent against the sha256 in the request (AWS Signature Version 4, x-amz-content-sha256), and whatever is
fetched is checked here.
"""

from __future__ import annotations

import configparser
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PermissionDeniedError
from obstore.exceptions import UnauthenticatedError as NotSignedInError
from obstore.store import S3Store

from gateway.errors import ConfigError, Missing, SpoolAway
from gateway.spool import Spool, checked, name_in_spool

AT_ONCE = 5 << 20
"""Up to so many bytes go in one request; more in parts of this size (the smallest that S3 allows)."""
REQUEST_SECONDS, RETRY_SECONDS, CONNECT_SECONDS = 15.0, 5.0, 3.0
"""One request; how long failed ones are tried again. A store that is away is told to the machine within 20 s."""
UPLOAD_SECONDS = 25.0
"""A large mail that is not up by then goes back to its machine, which sends it again."""
PROBE_SECONDS = 3.0
"""How long /readyz waits for the store."""
PROBE = "check"
"""The name that is looked for, and written by `faxless check`; no sha256."""

ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
FILE_KEYS = tuple(name.lower() for name in ENVIRONMENT)

log = structlog.get_logger("bucket")


@dataclass(frozen=True, slots=True)
class Keys:
    """Who we are to the store; never shown."""

    access: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the store is and what is ours in it."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    """Empty: AWS, by the region."""
    region: str = "us-east-1"
    path_style: bool = True
    certificate: bytes = b""
    """PEM of the authority that signed the store's certificate, beside those the system trusts."""

    def __str__(self) -> str:
        where = self.endpoint or f"AWS {self.region}"
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + f" ({where})"


class Bucket(Spool):
    """A spool whose settled bytes lie in a bucket; ``folder`` holds what is on its way in. Can be sent to a child."""

    def __init__(self, folder: Path, place: Place, keys: Keys) -> None:
        super().__init__(folder)
        self._place, self._keys = place, keys
        self._store = _open(place, keys, REQUEST_SECONDS, RETRY_SECONDS)
        self._probe = _open(place, keys, PROBE_SECONDS, 0.0)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.folder, self._place, self._keys))

    def __str__(self) -> str:
        return str(self._place)

    def ready(self) -> None:
        """Raise when the store does not answer, refuses us, or has no such bucket; or when this disk is full."""
        self.prepare()
        try:
            obstore.get(self._probe, PROBE)
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise _trouble(error) from error
        except (BaseError, OSError) as error:
            raise _trouble(error) from error

    def try_out(self) -> None:
        """Also keep something and read it back: the keys may allow the one and not the other."""
        self.prepare()
        told = b"faxless\n"
        try:
            obstore.put(self._probe, PROBE, told)
            if obstore.get(self._probe, PROBE).bytes() != told:
                raise SpoolAway("オブジェクトストアが違う内容を返します (the object store gives back other bytes)")
            next(iter(obstore.list(self._probe)), None)
        except (BaseError, OSError) as error:
            raise _trouble(error) from error

    def sync(self, arriving: FileIO) -> None:
        """Nothing: what a crash loses here was not answered 250 yet."""

    def settle(self, arrived: str, digest: str) -> None:
        """Put a file into the bucket under its sha256; when this returns, the store has said that it is kept."""
        name, file = name_in_spool(digest), Path(arrived)
        try:
            if file.stat().st_size <= AT_ONCE:
                self._settle_small(name, file.read_bytes(), digest)
            else:
                self._settle_large(name, file, digest)
        except (BaseError, FileNotFoundError, TimeoutError) as error:
            raise _trouble(error) from error
        file.unlink(missing_ok=True)

    def get(self, digest: str) -> bytes:
        """The bytes of this sha256, checked; :class:`Missing` when they are not there, :class:`SpoolAway` to wait."""
        name = name_in_spool(digest)
        try:
            data = bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise _trouble(error) from error
            raise Missing("原本が見つかりません (the bytes are not in the object store)") from error
        except (BaseError, OSError) as error:
            raise _trouble(error) from error
        return checked(data, digest)

    def settled(self, shelf: str = "") -> Iterator[str]:
        """Every sha256 that is kept, a thousand names a request; of one ``shelf`` (its first two letters), or all."""
        try:
            for some in obstore.list(self._store, prefix=shelf or None):
                for found in some:
                    digest = found["path"].rpartition("/")[2]
                    if len(digest) == 64:
                        yield digest
        except (BaseError, OSError) as error:
            raise _trouble(error) from error

    def drop(self, digest: str, before: float) -> bool:
        """Nothing is dropped from a bucket; gives False.

        S3 cannot delete an object only if nobody has put it again meanwhile, and 250 may have been said on that. What
        no row names are mails whose commit failed and which their machine never sent again: few, and not in the way.
        """
        name_in_spool(digest)
        return False

    def destroy(self, digest: str, before: float) -> bool:
        """Remove bytes for good that no row names, unless they were put here since then; gives whether none are left.

        Whoever calls this sees to it that meanwhile nobody is told 250 on them (store.Store.accept).
        """
        name = name_in_spool(digest)
        try:
            if obstore.head(self._store, name)["last_modified"].timestamp() >= before:
                return False
            obstore.delete(self._store, name)
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise _trouble(error) from error
        except (BaseError, OSError) as error:
            raise _trouble(error) from error
        return True

    def _settle_small(self, name: str, data: bytes, digest: str) -> None:
        checked(data, digest)  # this host's disk has had them
        try:
            obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except AlreadyExistsError:  # If-None-Match, RFC 9110 13.1.2: another gateway, or the same mail again
            if not self._holds(name, digest):
                obstore.put(self._store, name, data, use_multipart=False)
        except NotSupportedError:  # an older store; the same bytes over themselves do no harm
            obstore.put(self._store, name, data, use_multipart=False)

    def _settle_large(self, name: str, arrived: Path, digest: str) -> None:
        size = arrived.stat().st_size
        until = time.monotonic() + UPLOAD_SECONDS
        obstore.put(
            self._store, name, _blocks(arrived, until), use_multipart=True, chunk_size=AT_ONCE, max_concurrency=1
        )
        if obstore.head(self._store, name)["size"] != size:
            raise SpoolAway("オブジェクトストアに一部しか届きませんでした (the object store has only a part)")

    def _holds(self, name: str, digest: str) -> bool:
        try:
            checked(bytes(obstore.get(self._store, name).bytes()), digest)
        except Missing:
            return False
        return True


def keys_from(file: Path | None) -> Keys:
    """The keys from a file in AWS's form, or from the environment; raises :class:`ConfigError` with what is wrong."""
    found = _from_file(file) if file else {name.lower(): os.environ.get(name, "") for name in ENVIRONMENT}
    access, secret, token = (found.get(key, "") for key in FILE_KEYS)
    if not access or not secret:
        where = f"storage.s3.credentials {file}" if file else "storage.s3"
        wanted = " と ".join(FILE_KEYS[:2] if file else ENVIRONMENT[:2])
        raise ConfigError((f"{where}: {wanted} がありません (no credentials for the object store)",))
    return Keys(access, secret, token)


def _from_file(file: Path) -> dict[str, str]:
    place = f"storage.s3.credentials {file}"
    try:
        status = file.stat()
        # Group root may read: systemd hands credentials over that way (systemd.exec(5), LoadCredential=).
        open_to_others = status.st_mode & stat.S_IRWXO or (status.st_mode & stat.S_IRWXG and status.st_gid != 0)
        if open_to_others:
            raise ConfigError((f"{place}: 持ち主だけが読めるようにしてください (others may read it: chmod 600)",))
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # Not the parser's own sentence: it shows the line.
        raise ConfigError((f"{place}: 読めません (cannot be read: {type(error).__name__})",)) from error
    return dict(parser["default"]) if "default" in parser else {}


def _open(place: Place, keys: Keys, seconds: float, retry: float) -> S3Store:
    # Everything is said here, because obstore would take what is not from AWS_... variables.
    stated = urlsplit(place.endpoint or f"https://s3.{place.region}.amazonaws.com")
    host = stated.netloc if place.path_style else f"{place.bucket}.{stated.netloc}"
    endpoint = f"{stated.scheme}://{host}"
    credential: Any = {"access_key_id": keys.access, "secret_access_key": keys.secret, "expires_at": None}
    if keys.token:
        credential["token"] = keys.token
    client: dict[str, Any] = {
        "allow_http": stated.scheme == "http",
        "timeout": timedelta(seconds=seconds),
        "connect_timeout": timedelta(seconds=min(seconds, CONNECT_SECONDS)),
        # A proxy that our only host is excluded from: with one named, the environment's are not looked for.
        "proxy_url": "http://127.0.0.1:9",
        "proxy_excludes": stated.hostname or "",
    }
    if place.certificate:
        client["root_certificate"] = place.certificate
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        region=place.region,
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        credential_provider=lambda: credential,
        skip_signature=False,
        unsigned_payload=False,
        virtual_hosted_style_request=not place.path_style,
        checksum_algorithm="SHA256",
        client_options=client,  # type: ignore[arg-type]  # a dict by another name
        retry_config={
            "max_retries": 5 if retry else 0,
            "retry_timeout": timedelta(seconds=retry),
            "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=2), "base": 2},
        },
    )


def _blocks(file: Path, until: float) -> Iterator[bytes]:
    with file.open("rb") as source:
        while block := source.read(1 << 20):
            if time.monotonic() > until:
                raise TimeoutError  # obstore gives the upload up and says so to the store
            yield block


def _no_bucket(error: Exception) -> bool:
    return "NoSuchBucket" in str(error)


def _trouble(error: Exception) -> SpoolAway:
    # Only the kind goes into the log: a store's answer may hold half of a signature.
    log.error("object store", error=type(error).__name__)
    if isinstance(error, PermissionDeniedError | NotSignedInError):
        return SpoolAway(
            "オブジェクトストアに拒否されました。storage.s3 の鍵と、バケットの権限を確認してください"
            " (the object store refuses these credentials)"
        )
    if _no_bucket(error):
        return SpoolAway("バケットがありません。storage.spool を確認してください (no such bucket)")
    if "certificate" in str(error).lower():
        return SpoolAway(
            "オブジェクトストアの証明書を確認できません。storage.s3.certificate を確認してください"
            " (the object store shows a certificate that nobody here trusts)"
        )
    return SpoolAway("オブジェクトストアが答えません (the object store does not answer)")
