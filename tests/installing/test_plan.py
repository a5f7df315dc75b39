"""The engine of steps: what it shows and asks, and that one failure leaves the other steps their chance."""

from pathlib import Path

import pytest

from blueplane_doctor.errors import UsageError
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, ElsewhereError, Plan, Site, program, with_absolute_paths
from blueplane_doctor.settings.values import load
from tests.installing.conftest import Person


class Noting:
    """A step that writes one entry into the journal."""

    summary = "writes an entry"

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self._error = error
        self.undone = False

    def plan(self, site: Site) -> Plan:
        if self._error:
            raise self._error
        return Plan(changes=[Change("note it", "$ note", self._note)])

    def undo(self, site: Site, entry: Entry) -> Plan:
        def apply(journal: Journal) -> None:
            self.undone = True

        return Plan(changes=[Change("forget it", "$ forget", apply)])

    def _note(self, journal: Journal) -> None:
        journal.record(Entry(step=self.name, kind="note", target=self.name))


def test_a_step_that_fails_leaves_the_others_their_chance(person: Person) -> None:
    good = Noting("good")
    assert not person.install(Noting("bad", StepError("it is broken", "mend it")), good)
    assert "failed: it is broken" in person.text and "try: mend it" in person.text
    assert Journal(person.site.settings.home).find("note", "good")


def test_a_usage_error_ends_everything(person: Person) -> None:
    with pytest.raises(UsageError):
        person.install(Noting("bad", UsageError("nobody to ask")), Noting("good"))
    assert Journal(person.site.settings.home).find("note", "good") is None


@pytest.mark.parametrize("refusal", ["answer", "dry run"])
def test_without_consent_nothing_is_done(refusal: str, person: Person) -> None:
    person.answer = refusal != "answer"
    assert person.install(Noting("s"), dry_run=refusal == "dry run")
    assert "$ note" in person.text
    assert Journal(person.site.settings.home).entries == []


def test_what_was_done_is_undone_and_forgotten(person: Person) -> None:
    step = Noting("s")
    person.install(step)
    assert person.uninstall(step)
    assert step.undone
    assert not Journal(person.site.settings.home).path.exists()


def test_with_nothing_installed_there_is_nothing_to_undo(person: Person) -> None:
    assert person.uninstall(Noting("s"))
    assert "nothing to undo" in person.text


def test_a_home_is_named_only_where_it_is_not_the_usual_one(tmp_path: Path) -> None:
    settings = load({"home": tmp_path / ".blueplane"}).settings
    assert Site(settings, user_home=tmp_path).home_option == []
    assert Site(settings, user_home=tmp_path / "other").home_option == ["--home", str(tmp_path / ".blueplane")]


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = with_absolute_paths(load({"home": "h", "cursor_hooks": "c/hooks.json"}).settings)
    assert settings.home == tmp_path / "h"
    assert settings.cursor_hooks == tmp_path / "c" / "hooks.json"
    assert settings.database is None


def test_a_program_is_found_beside_the_running_one(programs: Path) -> None:
    assert program("blueplane-hook") == str(programs / "blueplane-hook")
    with pytest.raises(StepError, match="not installed"):
        program("blueplane-nothing")


@pytest.mark.parametrize("name", ["home", "database", "cursor_hooks"])
def test_a_path_that_no_journal_can_name_is_refused(tmp_path: Path, name: str) -> None:
    flags = {"home": tmp_path, name: tmp_path / "a\udcff"}
    with pytest.raises(UsageError, match=f"{name}: the journal cannot name"):
        with_absolute_paths(load(flags).settings)


class Elsewhere(Noting):
    """A step of which one entry cannot be undone from here."""

    def undo(self, site: Site, entry: Entry) -> Plan:
        if entry.target == "far":
            raise ElsewhereError("it is far", "go there")
        return super().undo(site, entry)


def test_an_entry_that_is_elsewhere_leaves_the_others_of_its_step_their_chance(person: Person) -> None:
    step = Elsewhere("s")
    journal = Journal(person.site.settings.home)
    for target in ("far", "near"):
        journal.record(Entry(step="s", kind="note", target=target))
    assert not person.uninstall(step)
    assert "failed: it is far" in person.text and "try: go there" in person.text
    assert step.undone
    assert [entry.target for entry in Journal(person.site.settings.home).entries if entry.step] == ["far"]
