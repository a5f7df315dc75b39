"""Sends one message through apprise, in a process of its own: given JSON on stdin, it answers with JSON on stdout.

The library is large, and what it calls may hang: so it is loaded only where a message is sent, and its process can be
ended. The URL comes on stdin, for a command line is shown to every user of the machine.

It is run as a file, not as a module: it imports nothing else of the doctor.
"""

import json
import logging
import re
import sys
from typing import Any

if sys.platform != "win32":
    import resource

_CODE = re.compile(r"error=(\d{3})\b")
MEMORY_BYTES = 300_000_000
"""Of this process: apprise takes 50 MB, and its libraries read an answer to its end, however long it is."""


class _Complaints(logging.Handler):
    """Keeps what kind of failure apprise complains of; its texts may name hosts and quote answers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        code = _CODE.search(text)
        if code is not None and code[1].startswith("3"):
            self.reason = "redirected"
        elif code is not None:
            self.reason = code[1]
        elif "onnection" in text:
            self.reason = "unreachable"


def send(order: dict[str, Any]) -> str:
    """Why the message was not delivered, a word of reasons.py or the service's code; empty: it was.

    `order`: url, title, body, type, seconds.
    """
    import apprise  # half a second: after the order was read, so that whoever gave it need not wait

    complaints = _Complaints()
    logger = logging.getLogger("apprise")
    logger.handlers = [complaints]
    logger.propagate = False
    asset = apprise.AppriseAsset(
        app_id="Blueplane",
        app_desc="Blueplane doctor",
        app_url="",
        image_url_mask="",  # no picture is asked of another host by whoever reads the message
        image_url_logo="",
        async_mode=False,
        http_redirects=False,  # the message would go to somebody else
        storage_mode="memory",  # nothing is written
        allow_templates=False,
        service_timeout=order["seconds"],
    )
    sender = apprise.Apprise(asset=asset)
    if not sender.add(order["url"]):
        return "unknown"
    kind = apprise.NotifyType(order["type"])
    text = apprise.NotifyFormat.TEXT  # apprise escapes it for each service
    if sender.notify(body=order["body"], title=order["title"], notify_type=kind, body_format=text):
        return ""
    return complaints.reason or "refused"


def limit_memory() -> None:
    """Let this process take no more than that. Windows has no such limit, and macOS does not heed it."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, hard))


def main() -> None:
    """One order in, one answer out."""
    limit_memory()
    answer = {"reason": send(json.load(sys.stdin))}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
