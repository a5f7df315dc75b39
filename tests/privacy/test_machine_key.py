"""Fingerprints rest on a key of this machine, which nobody else can read."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.privacy import machine_key
from blueplane_doctor.privacy.machine_key import KEY_BYTES, fingerprint, key_file


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(machine_key, "_MACHINE_IDS", ())
    forget()
    path = key_file()
    assert path == tmp_path / "blueplane-doctor" / "key"
    return path


def forget() -> None:
    """As another process begins."""
    machine_key._key_of.cache_clear()


def test_the_same_text_has_the_same_fingerprint_in_every_run(key: Path) -> None:
    machine_key.make_key()
    first = fingerprint(b"buy milk")
    forget()
    assert fingerprint(b"buy milk") == first
    assert fingerprint(b"buy bread") != first


def test_a_fingerprint_writes_nothing(key: Path) -> None:
    fingerprint(b"buy milk")
    assert not key.parent.exists()


def test_without_a_key_the_machine_is_its_own(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = key.parent.parent / "machine-id"
    identity.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(machine_key, "_MACHINE_IDS", (str(key), str(identity)))
    first = fingerprint(b"buy milk")
    forget()
    assert fingerprint(b"buy milk") == first
    identity.write_text("f123456789abcdef0123456789abcdef\n")
    forget()
    assert fingerprint(b"buy milk") != first
    identity.write_text("uninitialized\n")
    forget()
    of_one_process = fingerprint(b"buy milk")
    forget()
    assert fingerprint(b"buy milk") != of_one_process


def test_another_machine_gives_another_fingerprint(key: Path) -> None:
    """So that a fingerprint cannot be guessed by hashing likely texts."""
    machine_key.make_key()
    first = fingerprint(b"buy milk")
    key.unlink()
    machine_key.make_key()
    forget()
    assert fingerprint(b"buy milk") != first


def test_the_key_can_be_read_by_its_owner_alone(key: Path) -> None:
    machine_key.make_key()
    assert len(key.read_bytes()) == KEY_BYTES
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert list(key.parent.iterdir()) == [key]


def readable(key: Path) -> None:
    key.write_bytes(b"k" * KEY_BYTES)
    key.chmod(0o644)


def short(key: Path) -> None:
    key.write_bytes(b"k")
    key.chmod(0o600)


def linked(key: Path) -> None:
    other = key.with_name("other")
    other.write_bytes(b"k" * KEY_BYTES)
    other.chmod(0o600)
    key.symlink_to(other)


def pipe(key: Path) -> None:
    os.mkfifo(key, 0o600)


def folder(key: Path) -> None:
    key.mkdir()


@pytest.mark.parametrize("make", [readable, short, linked, pipe, folder])
def test_what_is_no_private_key_is_not_used(key: Path, make: object) -> None:
    """A key of this process alone serves then, and what lies there is left as it is."""
    key.parent.mkdir()
    make(key)  # type: ignore[operator]
    machine_key.make_key()
    first = fingerprint(b"buy milk")
    assert fingerprint(b"buy milk") == first
    forget()
    assert fingerprint(b"buy milk") != first
    assert os.path.lexists(key)


def test_without_a_place_for_a_key_there_is_one_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    forget()
    machine_key.make_key()
    assert fingerprint(b"x") == fingerprint(b"x")


def test_by_default_it_is_where_programs_keep_their_state(guarded_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert key_file() == guarded_home / ".local/state/blueplane-doctor/key"
