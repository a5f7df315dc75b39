"""README and the documents name checks, commands and options that there are."""

import re
from pathlib import Path

import pytest

from blueplane_doctor.command_line.completion import Commands
from blueplane_doctor.commands.completion import completed_commands
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.settings.values import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CALL = re.compile(r"\bblueplane(?:-doctor| doctor| (?=install|uninstall))((?: +[^\s`#|&;()]+)*)")
"""The program's name with the words after it, up to the end of a code span, a comment or a pipe."""


@pytest.fixture(scope="module")
def commands() -> Commands:
    return completed_commands(Settings())


def mistakes_in(text: str, commands: Commands) -> list[str]:
    """Options in the calls of this text that the command, or the program itself, does not take."""
    mistakes = []
    for match in CALL.finditer(text):
        words = match[1].partition(" -- ")[0].split()
        name = ""
        for word in words:
            deeper = f"{name} {word}".strip()
            if deeper in commands:
                name = deeper
        known = set()
        for part in ("", name):
            for flag in commands[part].flags:
                known.update(flag.names)
        for word in words:
            option = word.partition("=")[0].rstrip(".,:")
            if re.fullmatch(r"--[a-z][a-z-]*|-[a-z]", option) and option not in known:
                mistakes.append(f"{match[0]}: {option}")
    return mistakes


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_of_a_call_is_there(document: Path, commands: Commands) -> None:
    assert mistakes_in(document.read_text(encoding="utf-8"), commands) == []


def test_the_reader_of_calls_itself(commands: Commands) -> None:
    wrong = "`blueplane-doctor trace ID --json`, `blueplane doctor --explain x`, `blueplane-doctor --wait 5s  # --so`"
    assert mistakes_in(wrong, commands) == [
        "blueplane-doctor trace ID --json: --json",
        "blueplane doctor --explain x: --explain",
    ]
    assert mistakes_in("`blueplane-doctor dlq list --page 2 -f json`, `blueplane install --yes`", commands) == []


def test_the_readme_lists_every_check_and_no_other() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| area | checks |")[2].partition("\n\n")[0]
    listed = re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", table)
    ids = {spec.id for spec in find_checks().checks}
    assert len(listed) == len(set(listed))
    assert set(listed) == ids


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    files = [target for target in targets if target and "://" not in target]
    assert [target for target in files if not (document.parent / target).exists()] == []
