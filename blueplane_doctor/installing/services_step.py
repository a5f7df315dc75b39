"""Step `services`: unit files for `record` and `serve`; enabled and started only when that is asked for."""

import os
import subprocess
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.installing.programs import DOCTOR, program, shell_line
from blueplane_doctor.installing.units import SERVICES, Service, launchd_agent, systemd_unit

ENABLED = "enabled"
COMMAND_SECONDS = 30

SERVE_NEEDS = ("fastapi", "uvicorn")
SERVE_EXTRA = "pip install 'blueplane-doctor[serve]'"

Command = tuple[str, ...]
RELOAD: Command = ("systemctl", "--user", "daemon-reload")


class ServicesStep:
    """Writes the files; with --enable also hands them to systemd or launchd."""

    name = "services"
    summary = "services for record and serve"

    def plan(self, site: Site) -> Plan:
        """Raises StepError where no service manager is known."""
        if not (site.platform.startswith("linux") or site.platform == "darwin"):
            return Plan(notes=[f"no services on {site.platform}: start `{DOCTOR} record` and `serve` yourself"])
        changes = [change for service in services(site) if (change := _file(site, service))]
        if site.enable:
            known = Journal.load(site.settings.home)
            names = [n for service in services(site) if not known.find(ENABLED, n := _name(site, service))]
            changes += [_enabling(site, names)] if names else []
        missing = [name for name in SERVE_NEEDS if find_spec(name) is None]
        notes = [f"serve will not start without {' and '.join(missing)}: {SERVE_EXTRA}"] if missing else []
        return Plan(notes=notes, changes=changes)

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Stop and disable what was enabled, remove the files."""
        if entry["kind"] != ENABLED:
            return _undo_file(site, entry)
        commands = _disabling_commands(site, entry["target"])
        return Plan(changes=[Change(f"stop {entry['target']}", _shown(commands), lambda journal: _run(commands))])


def _undo_file(site: Site, entry: Entry) -> Plan:
    """Its way back; systemd, where it knows the unit, is told that the file changed under it."""
    plan = file_changes.undo(entry, None)
    name = Path(entry["target"]).name
    if not (plan.changes and Journal.load(site.settings.home).find(ENABLED, name)):
        return plan
    told = Change(f"tell systemd that {name} changed", _shown([RELOAD]), lambda journal: _run([RELOAD]))
    return replace(plan, changes=[*plan.changes, told])


def services(site: Site) -> list[Service]:
    """Both services of this site."""
    settings = site.settings
    writable = dict.fromkeys((settings.home, settings.database_file.parent))
    home = ["--home", str(settings.home)] if settings.home != site.user_home / ".blueplane" else []
    return [
        Service(name, (program(DOCTOR), *home, name), tuple(writable), settings.home / f"doctor-{name}.log")
        for name in SERVICES
    ]


def path_of(site: Site, service: Service) -> Path:
    """Where the service's file belongs."""
    if site.platform == "darwin":
        return site.user_home / "Library" / "LaunchAgents" / f"{service.label}.plist"
    configured = os.environ.get("XDG_CONFIG_HOME")
    base = Path(configured) if configured else site.user_home / ".config"
    return base / "systemd" / "user" / service.unit


def _name(site: Site, service: Service) -> str:
    return str(path_of(site, service)) if site.platform == "darwin" else service.unit


def _file(site: Site, service: Service) -> Change | None:
    path = path_of(site, service)
    before = files.read(path)
    after = launchd_agent(service) if site.platform == "darwin" else systemd_unit(service)
    return None if before == after else file_changes.change("services", path, before, after, f"write {path}")


def _enabling(site: Site, names: list[str]) -> Change:
    commands = _enabling_commands(site, names)
    return Change(f"enable and start {', '.join(names)}", _shown(commands), partial(_enable, commands, names))


def _enable(commands: list[Command], names: list[str], journal: Journal) -> None:
    for name in names:
        journal.record({"step": "services", "kind": ENABLED, "target": name})
    _run(commands)


def _enabling_commands(site: Site, names: list[str]) -> list[Command]:
    if site.platform == "darwin":
        return [("launchctl", "bootstrap", _domain(), name) for name in names]
    return [RELOAD, ("systemctl", "--user", "enable", "--now", *names)]


def _disabling_commands(site: Site, name: str) -> list[Command]:
    if site.platform == "darwin":
        return [("launchctl", "bootout", _domain(), name)]
    return [("systemctl", "--user", "disable", "--now", name)]


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _shown(commands: list[Command]) -> str:
    return "".join(f"$ {shell_line(*command)}\n" for command in commands)


def _run(commands: list[Command]) -> None:
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StepError(f"{shell_line(*command)}: {error}", "see whether it runs in this session") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
            raise StepError(f"{shell_line(*command)}: {said}", "run it by hand to see more")
