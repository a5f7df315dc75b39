"""The texts of systemd user units and launchd agents for `record` and `serve`."""

import plistlib
from dataclasses import dataclass
from pathlib import Path

SERVICES = {
    "record": "records the health of the Blueplane pipeline",
    "serve": "shows the health of the Blueplane pipeline over HTTP",
}
LABEL = "ai.blueplane.doctor"


@dataclass(frozen=True)
class Service:
    """One command that runs for as long as its user is there."""

    name: str
    command: tuple[str, ...]
    writable: tuple[Path, ...]
    """Folders that it may write to: Blueplane's home, and the database's, whose log needs it."""
    log: Path

    @property
    def unit(self) -> str:
        """Name of the systemd unit."""
        return f"blueplane-doctor-{self.name}.service"

    @property
    def label(self) -> str:
        """Name of the launchd agent."""
        return f"{LABEL}.{self.name}"


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


def systemd_unit(service: Service) -> bytes:
    """The unit's text."""
    # The leading - : a folder that is not there yet must not keep the service from starting.
    writable = "\n".join(f"ReadWritePaths={systemd_word(f'-{folder}')}" for folder in service.writable)
    command = " ".join(systemd_word(word, dollars=True) for word in service.command)
    return _UNIT.format(name=service.name, summary=SERVICES[service.name], command=command, writable=writable).encode()


def systemd_word(word: str, *, dollars: bool = False) -> str:
    """A word quoted for systemd: `%` begins a specifier, in commands `$` a variable."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped.replace("$", "$$") if dollars else escaped}"'


def launchd_agent(service: Service) -> bytes:
    """The property list's text."""
    agent = {
        "Label": service.label,
        "ProgramArguments": list(service.command),
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
