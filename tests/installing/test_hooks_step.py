"""The editors' files: merged, left alone where broken, given back byte for byte."""

import errno
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blueplane_doctor.installing.file_changes import backup_of
from blueplane_doctor.installing.journal import JOURNAL_FILE
from blueplane_doctor.pipeline import CURSOR_HOOKS
from blueplane_hook.kept import keep_whole
from blueplane_hook.spool import COUNTS_FILE, SPOOL_FILE, Spool
from tests.installing.conftest import Person

FOREIGN = (
    '{\n  "version": 1,\n  "z": [1.50, 1e3, "\\u00e4"],\n  "hooks": {\n    "stop": [{ "command": "./a.sh" }]\n  }\n}'
)
ANOTHER_USER = 54_321
DOCUMENTS = {
    "foreign entries": FOREIGN.encode(),
    "trailing newline": (FOREIGN + "\n").encode(),
    "CRLF and tabs": FOREIGN.replace("\n", "\r\n").replace("  ", "\t").encode() + b"\r\n",
    "one line": b'{"hooks":{"stop":[{"command":"a"}],"other":[]},"version":1}',
    "empty object": b"{}",
    "no hooks": b'{\n\t"version": 1\n}\n',
    "byte order mark": b'\xef\xbb\xbf{"version": 1, "hooks": {}}',
    "text beyond ASCII": '{"version": 1, "name": "Zoë 🙂", "hooks": {}}'.encode(),
}


def commands(content: bytes, hook: str) -> list[str]:
    return [entry["command"] for entry in json.loads(content.decode("utf-8-sig"))["hooks"][hook]]


@pytest.mark.parametrize("content", DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_installed_again_installed_and_removed(person: Person, content: bytes) -> None:
    person.write_hooks(content)
    person.hooks.chmod(0o640)
    before = person.tree()
    assert person.install()
    installed = person.hooks.read_bytes()
    assert backup_of(person.hooks).read_bytes() == content
    assert person.hooks.stat().st_mode & 0o777 == 0o640
    for hook in CURSOR_HOOKS:
        words = shlex.split(commands(installed, hook)[-1])
        assert (Path(words[0]).name, words[1]) == ("blueplane-hook", hook)
    after = person.tree()
    assert person.install()
    assert person.tree() == after
    assert "nothing to do" in person.text
    assert person.uninstall()
    assert person.tree() == before


def test_what_others_wrote_stays_in_its_order(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    person.install()
    text = person.hooks.read_text()
    assert commands(text.encode(), "stop")[0] == "./a.sh"
    assert '"z": [1.50, 1e3, "\\u00e4"]' in text
    assert list(json.loads(text)) == ["version", "z", "hooks"]


def test_without_a_file_one_is_made_and_goes_again_with_its_folder(person: Person) -> None:
    assert person.install(claude=True)
    assert json.loads(person.hooks.read_text())["version"] == 1
    claude = json.loads((person.home / ".claude" / "settings.json").read_text())
    assert list(claude["hooks"]) == ["SessionStart", "SessionEnd"]
    assert claude["hooks"]["SessionStart"][0]["hooks"][0]["type"] == "command"
    assert person.uninstall()
    assert person.tree() == {}


def test_the_command_that_is_installed_runs_in_a_shell(person: Person) -> None:
    person.install()
    command = commands(person.hooks.read_bytes(), "stop")[-1]
    assert subprocess.run(command, shell=True, check=False).returncode == 0


def test_server_and_home_are_named_where_they_are_not_the_usual_ones(
    make_person: Callable[..., Person], tmp_path: Path
) -> None:
    person = make_person(http_url="http://127.0.0.1:9999", home=tmp_path / "else where")
    person.install()
    words = shlex.split(commands(person.hooks.read_bytes(), "stop")[-1])
    assert words[2:] == ["--server", "http://127.0.0.1:9999", "--home", str(tmp_path / "else where")]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"// mine\n{}", b"[]", b'{"hooks": []}', b'{"hooks": {"stop": {}}}', b"\xff\xfe{}", b'{"a": 1,}'],
    ids=["empty", "cut", "comment", "list", "hooks a list", "hook an object", "utf-16", "comma"],
)
def test_a_broken_file_is_left_alone_with_a_clear_error(person: Person, content: bytes) -> None:
    person.write_hooks(content)
    before = person.tree()
    assert not person.install()
    assert person.tree() == before
    assert "hooks.json" in person.text and "left as it is" in person.text and "try:" in person.text


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644)])
def test_a_new_file_heeds_the_umask(umask: int, mode: int, person: Person) -> None:
    before = os.umask(umask)
    try:
        assert person.install()
    finally:
        os.umask(before)
    assert person.hooks.stat().st_mode & 0o777 == mode


def test_an_address_with_tls_is_refused_as_the_hook_speaks_none(person: Person) -> None:
    settings = person.site.settings.model_copy(update={"http_url": "https://localhost:8787"})
    before = person.tree()
    assert not person.install(settings=settings)
    assert "https" in person.text
    assert person.tree() == before


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_preview_that_is_piped_shows_nothing_of_others(document: str, person: Person) -> None:
    content = DOCUMENTS[document]
    private = content.replace(b"./a.sh", b"./s3cret.sh").replace(b'"a"', b'"s3cret"').replace(b"1e3", b'"s3cret"')
    person.write_hooks(private.replace("Zoë 🙂".encode(), b"s3cret"))
    assert person.install()
    assert "blueplane-hook' stop" in person.text
    assert "s3cret" not in person.text
    assert person.uninstall()
    assert "s3cret" not in person.text


def test_the_login_of_an_address_is_in_no_command_line(person: Person) -> None:
    settings = person.site.settings.model_copy(update={"http_url": "http://me:s3cret@127.0.0.1:9000/x?y"})
    assert person.install(settings=settings)
    assert commands(person.hooks.read_bytes(), "stop")[0].endswith(" --server http://127.0.0.1:9000")
    assert "s3cret" not in person.text


def test_after_others_edited_the_file_only_our_entries_go(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    person.install()
    edited = person.hooks.read_text().replace("./a.sh", "./b.sh")
    person.hooks.write_text(edited)
    assert person.uninstall()
    assert person.hooks.read_text() == FOREIGN.replace("./a.sh", "./b.sh")
    assert list(person.tree()) == [".cursor", ".cursor/hooks.json"]


def test_our_entries_go_from_events_that_we_do_not_know_and_from_doubled_names(person: Person) -> None:
    ours = '{"command": "/x/blueplane-hook stop"}'
    person.write_hooks(FOREIGN.encode())
    person.install()
    members = f'"mine": [{ours}], "a": 1, "b": [{ours}, {{"command": "b"}}], "b": [{ours}]'
    person.hooks.write_text(f'{{"version": 1, "hooks": {{{members}}}}}')
    assert person.uninstall()
    assert person.hooks.read_text() == '{"version": 1, "hooks": {"a": 1, "b": [{"command": "b"}]}}'


@pytest.mark.parametrize("edited", ["[]", "{}", '{"hooks": []}', '{"hooks": {}}', '{"hooks": {"stop": {}}}'])
def test_a_file_that_holds_nothing_of_ours_any_more_stays(person: Person, edited: str) -> None:
    person.write_hooks(FOREIGN.encode())
    person.install()
    person.hooks.write_text(edited)
    assert person.uninstall()
    assert person.hooks.read_text() == edited


def test_without_its_backup_our_entries_go_all_the_same(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    person.install()
    backup_of(person.hooks).unlink()
    assert person.uninstall()
    assert person.hooks.read_text() == FOREIGN


def test_an_entry_of_another_installation_is_replaced_not_doubled(person: Person) -> None:
    person.write_hooks(
        b'{"version": 1, "hooks": {"stop": [{"command": "/old/blueplane-hook stop"}, {"command": "b"}]}}'
    )
    before = person.tree()
    person.install()
    found = commands(person.hooks.read_bytes(), "stop")
    assert len(found) == 2 and "/old/" not in found[0] and found[1] == "b"
    person.uninstall()
    assert person.tree() == before


def test_a_link_stays_a_link_and_its_file_is_changed(person: Person) -> None:
    real = person.home / "dotfiles" / "cursor.json"
    real.parent.mkdir()
    real.write_bytes(FOREIGN.encode())
    person.hooks.parent.mkdir()
    person.hooks.symlink_to("../dotfiles/cursor.json")
    before = person.tree()
    assert person.install()
    assert person.hooks.is_symlink()
    assert b"blueplane-hook" in real.read_bytes()
    assert person.uninstall()
    assert person.tree() == before


def test_a_file_of_another_user_is_left_alone(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.write_hooks(FOREIGN.encode())
    before = person.tree()
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(person.hooks).st_uid + 1)
    assert not person.install()
    monkeypatch.undo()
    assert "another user" in person.text
    assert person.tree() == before


def test_a_file_that_really_is_another_users_is_left_alone(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    before = person.tree()
    give_away(person.hooks)
    assert not person.install()
    assert f"belongs to another user (uid {ANOTHER_USER})" in person.text
    assert person.tree() == before
    assert person.hooks.stat().st_uid == ANOTHER_USER


def give_away(path: Path) -> None:
    """Make it another user's, as only root may."""
    command = ["chown", str(ANOTHER_USER), str(path)]
    for candidate in (command, ["sudo", "-n", *command]):
        if shutil.which(candidate[0]) and subprocess.run(candidate, capture_output=True, check=False).returncode == 0:
            return
    reason = "needs root, or sudo without a password, to give a file away"
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("call", ["mkdir", "open", "write", "fsync", "replace"])
def test_where_the_disk_refuses_nothing_changes(
    person: Person, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    person.write_hooks(FOREIGN.encode())
    before = person.tree()
    real = getattr(os, call)

    def refuse(first: object, *arguments: object, **more: object) -> object:
        reading = call == "open" and arguments and not (arguments[0] & os.O_WRONLY)  # type: ignore[operator]
        if reading:
            return real(first, *arguments, **more)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        assert not person.install()
    assert os.strerror(number) in person.text
    assert person.tree() == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_without_consent_nothing_changes_and_the_change_was_shown(person: Person, dry_run: bool) -> None:
    person.write_hooks(FOREIGN.encode())
    before = person.tree()
    person.answer = dry_run
    assert person.install(dry_run=dry_run)
    assert person.tree() == before
    assert "+      {" in person.text or '"beforeSubmitPrompt"' in person.text
    assert "--- " in person.text and "+++ " in person.text


def test_a_dry_uninstall_changes_nothing_and_shows_commands_that_a_shell_understands(person: Person) -> None:
    person.install()
    Spool(str(person.site.settings.home)).count("unreadable")
    before = person.tree()
    assert person.uninstall(dry_run=True)
    assert person.tree() == before
    shown = [shlex.split(line.strip()[2:]) for line in person.text.splitlines() if line.strip().startswith("$ ")]
    assert ["rmdir", str(person.hooks.parent)] in shown
    assert ["rm", str(person.site.settings.home / COUNTS_FILE)] in shown


def test_a_file_that_changes_between_the_question_and_the_answer_is_left_alone(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    plan = person.steps[0].plan(person.site)
    person.hooks.write_bytes(b"{}")
    person.steps[0].plan = lambda site: plan  # type: ignore[method-assign]
    assert not person.install()
    assert person.hooks.read_bytes() == b"{}"


def test_undelivered_events_outlive_the_installation(person: Person) -> None:
    person.install()
    home = person.site.settings.home
    Spool(str(home)).add(b"{}")
    assert person.uninstall()
    assert (home / SPOOL_FILE).read_bytes() == b"{}\n"
    assert not (home / JOURNAL_FILE).exists()


def test_what_was_not_understood_outlives_the_installation(person: Person) -> None:
    person.install()
    home = person.site.settings.home
    assert keep_whole(str(home), b"\xff")
    assert person.uninstall()
    assert [file.read_bytes() for file in home.glob("*.kept")] == [b"\xff"]


def test_an_empty_spool_goes_with_the_installation(person: Person) -> None:
    person.install()
    home = person.site.settings.home
    Spool(str(home)).count("unreadable")
    (home / SPOOL_FILE).touch()
    assert person.uninstall()
    assert person.tree() == {}


def test_a_strange_file_in_the_backups_place_is_not_overwritten(person: Person) -> None:
    person.write_hooks(FOREIGN.encode())
    backup_of(person.hooks).write_text("mine")
    before = person.tree()
    assert not person.install()
    assert backup_of(person.hooks).read_text() == "mine"
    assert person.hooks.read_bytes() == before[".cursor/hooks.json"][1]


@pytest.mark.parametrize("content", [b"garbage", b"[]", b'{"version": 99, "entries": []}'])
def test_a_journal_that_is_none_stops_everything(person: Person, content: bytes) -> None:
    from blueplane_doctor.installing.files import StepError

    home = person.site.settings.home
    home.mkdir()
    (home / JOURNAL_FILE).write_bytes(content)
    with pytest.raises(StepError, match="not a journal"):
        person.install()


@pytest.mark.parametrize("tells", [True, False])
def test_a_system_that_does_not_tell_who_listens_is_said_to_be_one(
    person: Person, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    """As macOS, which tells it to nobody without privileges."""
    if not tells:
        monkeypatch.setattr("blueplane_hook.peer.TABLES", ("/nowhere/tcp",))
    assert person.install()
    assert ("blueplane-hook cannot check it" in person.text) is not tells
