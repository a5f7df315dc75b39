"""A program that shows what apprise would send to services whose hosts are fixed: given a message on stdin, in JSON."""

import json
import sys
from typing import Any

import requests

from blueplane_doctor.notifying import apprise_child

URLS = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "telegram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "teams": "workflows://host:443/workflowid/signature/",
    "google chat": "gchat://workspace/key/token",
    "mattermost": "mmost://localhost/3ccdd113474722377935511fc85d3dd4",
}


class Accepted:
    """The answer to everything."""

    status_code = 200
    content = b"ok"
    text = "ok"

    def json(self) -> dict[str, bool]:
        return {"ok": True}


def main() -> None:
    """Bodies of all requests, by service."""
    sent: list[Any] = []

    def keep(*_: object, **more: object) -> Accepted:
        sent.append(more.get("data") or more.get("json"))
        return Accepted()

    for name in ("get", "post", "put", "request"):
        setattr(requests, name, keep)
    order = json.load(sys.stdin)
    bodies = {}
    for service, url in URLS.items():
        sent.clear()
        apprise_child.send({**order, "url": url})
        bodies[service] = list(map(str, sent))
    json.dump(bodies, sys.stdout)


if __name__ == "__main__":
    main()
