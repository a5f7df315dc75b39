"""Step `services`: unit files for `record` and `serve`; enabled and started only when that is asked for."""

import os
import plistlib
import shlex
import subprocess
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from blueplane_doctor.files.user_paths import configuration_folder
from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site, program
from blueplane_doctor.text.characters import holds_controls

_DOCTOR = "blueplane-doctor"
_SERVICES = {
    "record": "records the health of the Blueplane pipeline",
    "serve": "shows the health of the Blueplane pipeline over HTTP",
}
_ENABLED = "enabled"
_COMMAND_SECONDS = 30
_SERVE_NEEDS = ("fastapi", "uvicorn", "blueplane_doctor.service")

_Command = tuple[str, ...]
_RELOAD: _Command = ("systemctl", "--user", "daemon-reload")


@dataclass(frozen=True)
class _Service:
    """One command that runs for as long as its user is there."""

    name: str
    command: list[str]
    writable: list[Path]
    """Folders that it may write to: Blueplane's home, and the database's, whose log needs it."""
    log: Path

    @property
    def unit(self) -> str:
        """Name of the systemd unit."""
        return f"{_DOCTOR}-{self.name}.service"

    @property
    def label(self) -> str:
        """Name of the launchd agent."""
        return f"ai.blueplane.doctor.{self.name}"


class ServicesStep:
    """Writes the files; with --enable also hands them to systemd or launchd."""

    name = "services"
    summary = "services for record and serve"

    def plan(self, site: Site) -> Plan:
        """Where no service manager is known it only says so."""
        if not site.platform.startswith(("linux", "darwin")):
            return Plan(notes=[f"no services on {site.platform}: start {_DOCTOR} record and {_DOCTOR} serve yourself"])
        plan = Plan()
        if not all(map(find_spec, _SERVE_NEEDS)):
            plan.notes.append("serve will not start without its extra: pip install 'blueplane-doctor[serve]'")
        for service in services(site):
            change = _file(site, service)
            if change:
                plan.changes.append(change)
        names = _to_enable(site)
        if names:
            commands = _switch(site, "enable", names)
            enable = partial(_enable, commands, names)
            plan.changes.append(Change(f"enable and start {', '.join(names)}", _shown(commands), enable))
        return plan

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Stop and disable what was enabled, remove the files; systemd reloads its units."""
        if entry.kind == _ENABLED:
            commands = _switch(site, "disable", [entry.target])
            return Plan(changes=[_commands_change(f"stop {entry.target}", commands)])
        plan = file_changes.undo(entry, None)
        name = Path(entry.target).name
        if plan.changes and Journal(site.settings.home).find(_ENABLED, name):
            plan.changes.append(_commands_change(f"tell systemd that {name} changed", [_RELOAD]))
        return plan


def _to_enable(site: Site) -> list[str]:
    """Names of the services that are to be enabled, and are not by us already."""
    if not site.enable:
        return []
    journal = Journal(site.settings.home)
    names = []
    for service in services(site):
        name = _name(site, service)
        if not journal.find(_ENABLED, name):
            names.append(name)
    return names


def services(site: Site) -> list[_Service]:
    """Both services of this site."""
    settings = site.settings
    writable = list(dict.fromkeys((settings.home, settings.database_file.parent)))
    both = []
    for name in _SERVICES:
        command = [program(_DOCTOR), *site.home_option, name]
        both.append(_Service(name, command, writable, settings.home / f"doctor-{name}.log"))
    return both


def path_of(site: Site, service: _Service) -> Path:
    """Where the service's file belongs."""
    if site.platform == "darwin":
        return site.user_home / "Library" / "LaunchAgents" / f"{service.label}.plist"
    return configuration_folder(site.user_home) / "systemd" / "user" / service.unit


def _name(site: Site, service: _Service) -> str:
    """The name of it for the service manager: launchd wants a path."""
    if site.platform == "darwin":
        return str(path_of(site, service))
    return service.unit


def _file(site: Site, service: _Service) -> Change | None:
    """Writes the service's file; None when it is as it should be."""
    path = path_of(site, service)
    before = files.read(path)
    after = _launchd_agent(service) if site.platform == "darwin" else _systemd_unit(service)
    if before == after:
        return None
    return file_changes.change("services", path, before, after, f"write {path}")


def _enable(commands: list[_Command], names: list[str], journal: Journal) -> None:
    for name in names:
        journal.record(Entry(step="services", kind=_ENABLED, target=name))
    _run(commands)


def _switch(site: Site, verb: str, names: list[str]) -> list[_Command]:
    """Enabled ones are also started, disabled ones stopped."""
    if site.platform == "darwin":
        launchd = {"enable": "bootstrap", "disable": "bootout"}[verb]
        return [("launchctl", launchd, f"gui/{os.getuid()}", name) for name in names]
    commands = [("systemctl", "--user", verb, "--now", *names)]
    if verb == "enable":
        commands.insert(0, _RELOAD)  # systemd does not know a new file before
    return commands


def _commands_change(summary: str, commands: list[_Command]) -> Change:
    return Change(summary, _shown(commands), lambda journal: _run(commands))


def _shown(commands: list[_Command]) -> str:
    text = ""
    for command in commands:
        text += f"$ {shlex.join(command)}\n"
    return text


def _run(commands: list[_Command]) -> None:
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, timeout=_COMMAND_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StepError(f"{shlex.join(command)}: {error}", "see whether it runs in this session") from error
        if done.returncode:
            message = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
            raise StepError(f"{shlex.join(command)}: {message}", "run it by hand to see more")


_UNIT = """\
[Unit]
Description=blueplane-doctor {name}: {summary}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=10
UMask=0077
MemoryMax=512M
TasksMax=64
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
{writable}
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=default.target
"""


def _systemd_unit(service: _Service) -> bytes:
    writable = []
    for folder in service.writable:
        # The leading - : a folder that is not there yet must not keep the service from starting.
        writable.append(f"ReadWritePaths={_systemd_word(f'-{folder}')}")
    text = _UNIT.format(
        name=service.name,
        summary=_SERVICES[service.name],
        command=" ".join(map(_systemd_word, service.command)).replace("$", "$$"),
        writable="\n".join(writable),
    )
    return text.encode()


def _systemd_word(word: str) -> str:
    """A word quoted for systemd: `%` begins a specifier, and in commands alone `$` a variable.

    Raises StepError for a control character: a line end would begin another setting of the unit.
    """
    if holds_controls(word):
        raise StepError("a unit cannot hold a path with control characters, such as a line end", "name another path")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _launchd_agent(service: _Service) -> bytes:
    agent = {
        "Label": service.label,
        "ProgramArguments": service.command,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": 5,
        "Umask": 0o077,
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": str(service.log),
    }
    return plistlib.dumps(agent, sort_keys=True)
