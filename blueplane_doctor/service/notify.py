"""Tells systemd that the service is ready, or ending, where systemd asked to be told (sd_notify)."""

import contextlib
import os
import socket


def notify(state: str) -> bool:
    """Send `READY=1`, `STOPPING=1` …; whether somebody listened."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    address = "\0" + address[1:] if address[0] == "@" else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.connect(address)
        link.sendall(state.encode())
        return True
    return False
