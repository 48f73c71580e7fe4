"""The spool in an object store: the same promise, whatever the store does."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import ipaddress
import os
import pickle
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway import bucket
from gateway.bucket import Bucket, Keys, Place, keys_from
from gateway.config import load
from gateway.errors import ConfigError, Missing, SpoolAway
from gateway.house import open_spool
from gateway.spool import SMALL, Spool
from tests.city import ROOT, write_city
from tests.object_store import BUCKET, KEYS, ObjectStore, object_store

NOBODY = Keys("FAXLESSTEST", "another secret")


@pytest.fixture
def spool(store_of_objects: ObjectStore, tmp_path: Path) -> Bucket:
    made = store_of_objects.spool(tmp_path / "spool")
    made.prepare()
    return made


def local(spool: Spool) -> list[Path]:
    return [path for path in spool.folder.rglob("*") if path.is_file()]


def test_what_is_kept_is_found_under_its_hash_from_every_host(
    spool: Bucket, store_of_objects: ObjectStore, tmp_path: Path
) -> None:
    data = os.urandom(100_000)
    arrival = spool.begin()
    arrival.write(data[:70_000])
    arrival.write(data[70_000:])
    digest = arrival.keep()
    assert digest == hashlib.sha256(data).hexdigest()
    assert local(spool) == []
    other = store_of_objects.spool(tmp_path / "other host")
    assert other.get(digest) == data
    assert digest in set(other.settled())
    other.ready()


def test_nothing_is_a_fax_too(spool: Bucket) -> None:
    assert spool.get(spool.begin().keep()) == b""


def test_a_large_mail_goes_up_in_parts(spool: Bucket) -> None:
    data = os.urandom(2 * bucket.AT_ONCE + 1)
    assert spool.get(spool.put(data)) == data
    assert spool.put(data) == hashlib.sha256(data).hexdigest()
    assert local(spool) == []


def test_a_large_mail_that_takes_too_long_goes_back_to_its_machine(
    spool: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "UPLOAD_SECONDS", -1.0)
    data = os.urandom(bucket.AT_ONCE + 1)
    with pytest.raises(SpoolAway):
        spool.put(data)
    assert local(spool) == []
    with pytest.raises(Missing):
        spool.get(hashlib.sha256(data).hexdigest())


def test_keeping_the_same_bytes_twice_is_the_same_as_once(
    spool: Bucket, store_of_objects: ObjectStore, tmp_path: Path
) -> None:
    data = os.urandom(100)
    other = store_of_objects.spool(tmp_path / "other host")
    other.prepare()
    assert spool.put(data) == other.put(data) == spool.put(data)
    assert list(spool.settled()).count(hashlib.sha256(data).hexdigest()) == 1


@pytest.mark.parametrize("damage", [b"", b"the fix"])
def test_bytes_that_changed_in_the_store_are_not_given_out(
    spool: Bucket, store_of_objects: ObjectStore, damage: bytes
) -> None:
    data = os.urandom(100)
    digest = spool.put(data)
    store_of_objects.overwrite(digest, damage)
    with pytest.raises(Missing, match="壊れ"):
        spool.get(digest)
    assert spool.put(data) == digest  # 250 is not said on damaged bytes
    assert spool.get(digest) == data


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "a" * 63 + "/"])
def test_a_name_that_is_not_there_is_missing(spool: Bucket, name: str) -> None:
    with pytest.raises(Missing):
        spool.get(name)


def test_bytes_that_this_disk_changed_on_their_way_are_not_kept(spool: Bucket) -> None:
    arrival = spool.begin()
    arrival.write(bytes(2 * SMALL))
    (arriving,) = local(spool)
    with arriving.open("r+b") as file:
        file.write(b"1")
    with pytest.raises(Missing):
        arrival.keep()
    assert local(spool) == []


def test_only_arrivals_of_this_host_are_swept(spool: Bucket) -> None:
    kept = spool.put(b"kept")
    arrival = spool.begin()
    arrival.write(bytes(2 * SMALL))
    (stray,) = local(spool)
    os.utime(stray, (0, 0))
    assert spool.sweep(10_000.0) == 1
    arrival.discard()
    assert spool.get(kept) == b"kept"


def test_a_spool_sent_to_a_child_is_the_same_spool(spool: Bucket) -> None:
    digest = spool.put(b"for the child")
    assert pickle.loads(pickle.dumps(spool)).get(digest) == b"for the child"  # noqa: S301


def test_the_environment_of_others_does_not_speak(spool: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables for another program's store, and a proxy for the web, lead no fax elsewhere."""
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of somebody else")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of somebody else")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    again: Bucket = pickle.loads(pickle.dumps(spool))  # noqa: S301
    assert again.get(again.put(b"ours")) == b"ours"


# ---- a store that does not do its part


def test_a_store_that_stops_is_waited_for_without_a_person(tmp_path: Path) -> None:
    """Over TLS with a certificate of the site's own."""
    with tempfile.TemporaryDirectory() as folder, object_store(own_certificate(Path(folder))) as store:
        spool = store.spool(tmp_path / "spool")
        spool.prepare()
        kept = spool.put(b"before")
        store.stop()
        for attempt in (spool.ready, spool.try_out, lambda: spool.put(b"meanwhile"), lambda: spool.get(kept)):
            with pytest.raises(SpoolAway, match="答えません") as caught:
                attempt()
            assert caught.value.again
        with pytest.raises(SpoolAway):
            list(spool.settled())
        assert local(spool) == []
        store.start()
        spool.ready()
        assert spool.get(kept) == b"before"
        assert spool.get(spool.put(b"meanwhile")) == b"meanwhile"
        blind = Bucket(tmp_path / "blind", Place(BUCKET, endpoint=store.endpoint), KEYS)
        with pytest.raises(SpoolAway, match="証明書"):
            blind.ready()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_store_that_hangs_is_not_waited_for_for_ever(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUEST_SECONDS", "PROBE_SECONDS"):
        monkeypatch.setattr(bucket, name, 0.2)
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 0.1)
    spool = Bucket(tmp_path / "spool", Place(BUCKET, endpoint=silent), KEYS)
    spool.prepare()
    with pytest.raises(SpoolAway, match="答えません"):
        spool.ready()
    with pytest.raises(SpoolAway, match="答えません"):
        spool.put(b"fax")


def test_a_machine_hears_of_a_store_that_is_away_within_a_minute() -> None:
    one = bucket.REQUEST_SECONDS + bucket.RETRY_SECONDS
    assert 2 * one < 60  # put, and the look at what is there already
    assert bucket.UPLOAD_SECONDS + one < 60
    assert bucket.PROBE_SECONDS < 5


def test_wrong_keys_are_named_and_not_shown(
    store_of_objects: ObjectStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spool = store_of_objects.spool(tmp_path / "spool", NOBODY)
    spool.prepare()
    for attempt in (spool.ready, spool.try_out, lambda: spool.put(b"fax"), lambda: spool.get("0" * 64)):
        with pytest.raises(SpoolAway, match=r"拒否.*storage\.s3") as caught:
            attempt()
        assert "secret" not in str(caught.value)
    written = capsys.readouterr()
    assert "secret" not in written.out + written.err + repr(NOBODY) + str(spool)
    assert local(spool) == []


def test_a_bucket_that_is_not_there_is_named(store_of_objects: ObjectStore, tmp_path: Path) -> None:
    place = Place("nowhere", endpoint=store_of_objects.endpoint)
    with pytest.raises(SpoolAway, match="バケット"):
        Bucket(tmp_path / "spool", place, KEYS).ready()


# ---- configuration


def test_keys_come_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("[default]\naws_access_key_id = FAXLESSTEST\naws_secret_access_key = 100%/secret+\n")
    file.chmod(0o600)
    assert keys_from(file) == Keys("FAXLESSTEST", "100%/secret+")
    file.chmod(0o604)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys_from(file)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[default]\naws_access_key_id = A\n", "aws_secret_access_key"),
        ("[other]\naws_access_key_id = A\naws_secret_access_key = secret\n", "aws_access_key_id"),
        ("aws_secret_access_key = secret\n", "読めません"),
        ("\udcff", "読めません"),
    ],
)
def test_a_file_without_keys_is_named_and_not_quoted(tmp_path: Path, written: str, told: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(written.encode("utf-8", "surrogateescape"))
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=told) as caught:
        keys_from(file)
    assert "keys" in str(caught.value)
    assert "= secret" not in str(caught.value)


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in bucket.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="AWS_SECRET_ACCESS_KEY"):
        keys_from(None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "C")
    assert keys_from(None) == Keys("A", "B", "C")


def test_a_configuration_is_all_it_takes(store_of_objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(
        f"[default]\naws_access_key_id = {KEYS.access}\naws_secret_access_key = {KEYS.secret}\n"
    )
    (tmp_path / "keys").chmod(0o600)
    more = f'[storage.s3]\nendpoint = "{store_of_objects.endpoint}/"\ncredentials = "keys"\n'
    config = load(write_city(tmp_path, more, spool=f"s3://{BUCKET}/city/spool/"))
    spool = open_spool(config)
    spool.prepare()
    spool.try_out()
    assert store_of_objects.spool(tmp_path / "other host").get(spool.put(b"by configuration")) == b"by configuration"
    assert str(spool) == f"s3://{BUCKET}/city/spool ({store_of_objects.endpoint})"


@pytest.mark.parametrize("spool", ["s3://", "s3://Bucket", "s3://b", "s3://faxes/a b", "s3:faxes", "folder"])
def test_a_name_that_is_no_bucket_is_a_mistake(tmp_path: Path, spool: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.spool"):
        load(write_city(tmp_path, spool=spool))


@pytest.mark.parametrize(
    "line",
    ['endpoint = "s3.example.jp"', 'endpoint = "ftp://s3.example.jp"', 'endpoint = "https://key:secret@s3.example.jp"'],
)
def test_an_endpoint_is_a_plain_address(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.s3\.endpoint"):
        load(write_city(tmp_path, f"[storage.s3]\n{line}\n"))


def test_administration_explains_every_sentence_about_the_store() -> None:
    manual = (ROOT / "docs" / "administration.md").read_text(encoding="utf-8")
    sentences = re.findall(r"\((the object store [a-z ]+|no such bucket)\)", inspect.getsource(bucket._trouble))
    assert len(sentences) == 4
    for sentence in sentences:
        assert sentence in manual


def own_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store.city.example.jp")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "store.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem
