"""Targets in doctor.yaml: added, private, shown nowhere, and taken out again."""

import pytest

from blueplane_doctor.installing.notify_step import OFFER, NotifyStep
from blueplane_doctor.notifying.state import LOCK_FILE, State, write_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from blueplane_doctor.settings.files import DOCTOR_FILE
from blueplane_doctor.settings.values import load
from tests.installing.conftest import Person

SECRET = "s3cret-t0ken"
URL = f"ntfy://{SECRET}@ntfy.example.org/topic?a='b'&c=d"


@pytest.fixture
def person(person: Person) -> Person:
    person.steps = [NotifyStep()]
    person.site.settings.home.mkdir(exist_ok=True)
    return person


def addresses(person: Person) -> list[str]:
    return [rule.address for rule in load({"home": person.site.settings.home}).settings.notify]


def test_a_new_file_is_private_and_goes_away_again(person: Person) -> None:
    before = person.tree()
    assert person.install(notify=[URL])
    file = person.site.settings.home / DOCTOR_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert addresses(person) == [URL]
    after = person.tree()
    assert person.install(notify=[URL])
    assert person.tree() == after
    assert person.uninstall()
    assert person.tree() == before
    assert SECRET not in person.text


def test_what_was_remembered_of_messages_goes_with_the_last_target(person: Person) -> None:
    home = person.site.settings.home
    before = person.tree()
    assert person.install(notify=[URL])
    write_state(home, State())
    (home / LOCK_FILE).touch()
    assert person.uninstall()
    assert person.tree() == before


def test_what_was_remembered_stays_for_the_targets_of_a_person(person: Person) -> None:
    home = person.site.settings.home
    assert person.install(notify=[URL])
    write_state(home, State())
    with (home / DOCTOR_FILE).open("a") as file:
        file.write("- ntfy://ntfy.sh/mine\n")
    assert person.uninstall()
    assert addresses(person) == ["ntfy://ntfy.sh/mine"]
    assert (home / STATE_FILE).exists()
    assert f"{STATE_FILE} stays" in person.text


LONG_WORD = f"# {'a' * 200_000}\n"
"""Looked through anew from each of its letters, it would take minutes."""


@pytest.mark.parametrize(
    "content",
    [
        *("timeout: 20\n", "timeout: 20", "# mine\r\ntimeout: 20\r\n", "#notify: []\n", ""),
        pytest.param(LONG_WORD, id="a long word"),
    ],
)
def test_what_is_there_stays(person: Person, content: str) -> None:
    file = person.site.settings.home / DOCTOR_FILE
    file.write_bytes(content.encode())
    file.chmod(0o600)
    before = person.tree()
    assert person.install(notify=[URL])
    assert addresses(person) == [URL]
    assert file.read_bytes().startswith(content.encode())
    assert person.uninstall()
    assert person.tree() == before


def test_targets_of_a_person_are_left_to_them(person: Person) -> None:
    file = person.site.settings.home / DOCTOR_FILE
    file.write_text(f"notify: ['json://{SECRET}@h/']\n")
    before = person.tree()
    assert not person.install(notify=[URL])
    assert "by hand" in person.text
    assert person.tree() == before
    assert person.install(notify=[f"json://{SECRET}@h/"])
    assert SECRET not in person.text


@pytest.mark.parametrize("added", ["timeout: 20\n", "- json://other/\n", "  \n- json://other/\n"])
def test_what_was_added_since_stays(person: Person, added: str) -> None:
    assert person.install(notify=[URL])
    file = person.site.settings.home / DOCTOR_FILE
    file.write_text(file.read_text() + added)
    assert person.uninstall()
    text = file.read_text()
    assert SECRET not in text
    assert text.endswith(added)
    assert addresses(person) == (["json://other/"] if "other" in added else [])
    assert SECRET not in person.text


def test_it_is_offered(person: Person) -> None:
    before = person.tree()
    assert person.install()
    assert OFFER in person.text
    assert person.tree() == before


def test_a_file_that_others_may_read_is_said(person: Person) -> None:
    file = person.site.settings.home / DOCTOR_FILE
    file.write_text("timeout: 20\n")
    file.chmod(0o644)
    assert person.install(notify=[URL])
    assert "chmod 600" in person.text


@pytest.mark.parametrize("content", [b"{", b"\xff", b"- a\n", b"5\n"])
def test_a_file_that_is_no_settings_is_left_alone(person: Person, content: bytes) -> None:
    file = person.site.settings.home / DOCTOR_FILE
    file.write_bytes(content)
    assert not person.install(notify=[URL])
    assert file.read_bytes() == content
    assert "left as it is" in person.text
