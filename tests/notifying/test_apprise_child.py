"""Apprise in its own process: hostile text in every kind of message, and nothing of a failure but its kind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.notifying import apprise_child
from blueplane_doctor.notifying.delivery import deliver
from blueplane_doctor.notifying.inert_text import inert
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Message, Sender, message_of
from blueplane_doctor.notifying.news import News
from blueplane_doctor.settings.notification_rules import NotifyRule
from tests.notifying import captured_services
from tests.notifying.receivers import mail, web
from tests.notifying.test_inert_text import HOSTILE


def test_it_imports_nothing_of_the_doctor() -> None:
    """It is run as a file, from wherever the doctor lies."""
    program = f"import runpy, sys; runpy.run_path({apprise_child.__file__!r}); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert "blueplane_doctor" not in ended.stdout
    assert "apprise" not in ended.stdout.split(), "it is loaded when something is sent"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds the limit")
def test_an_answer_without_end_cannot_take_all_memory() -> None:
    program = (
        f"import runpy; child = runpy.run_path({apprise_child.__file__!r}); child['limit_memory']()\n"
        "try: bytearray(child['MEMORY_BYTES'])\n"
        "except MemoryError: print('refused')"
    )
    ended = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "refused\n"


@pytest.mark.slow
def test_it_says_no_more_than_the_kind_of_a_failure() -> None:
    order = {"url": "json://tok3n@127.0.0.1:9/s3cret", "title": "t", "body": "b", "type": "failure", "seconds": 5}
    ended = subprocess.run(
        [sys.executable, apprise_child.__file__], input=json.dumps(order), capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout) == {"reason": "unreachable"}
    assert ended.stderr == ""


@pytest.mark.slow
def test_it_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    with web() as server:
        deliver(NotifyRule.model_validate(f"json://{server.place}/"), hostile_message())
    assert list(home.rglob("*")) == []


def hostile_message() -> Message:
    """All that is hostile, as a check of one's own might write it."""
    sentence = " ".join(inert(text) for text in HOSTILE)
    news = News(Kind.OPENED, "own", "own", Status.RED, 0.0, sentence=sentence, next_step=sentence)
    return message_of([news], Status.RED, Sender(HOSTILE[0]), 60.0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json", "ntfy", "gotify", "matrix", "mail"])
def test_hostile_text_is_inert_in_each_kind(kind: str) -> None:
    urls = {
        "gotify": "gotify://{}/token",
        "matrix": "matrix://{}/token?mode=matrix",
        "ntfy": "ntfy://{}/topic",
    }
    message = hostile_message()
    if kind == "mail":
        with mail() as mailbox:
            url = f"mailto://127.0.0.1:{mailbox.port}?from=a@example.org&to=b@example.org&format=html"
            assert deliver(NotifyRule.model_validate(url), message) == ""
        sent = mailbox.messages
    else:
        with web() as server:
            url = urls.get(kind, kind + "://{}/").format(server.place)
            deliver(NotifyRule.model_validate(url), message)
        sent = [request.body for request in server.requests]
    assert_inert(sent)


@pytest.mark.slow
def test_hostile_text_is_inert_in_services_of_fixed_hosts() -> None:
    message = hostile_message()
    order = {"title": message.title, "body": message.body, "type": "failure", "seconds": 5}
    ended = subprocess.run(
        [sys.executable, captured_services.__file__],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
    )
    bodies = json.loads(ended.stdout)
    assert set(bodies) == set(captured_services.URLS)
    for sent in bodies.values():
        assert_inert(sent)


def assert_inert(sent: list[str]) -> None:
    """Nothing in what was sent is a mention, a link or markup of ours."""
    assert sent
    for body in sent:
        for obeyed in ("<!channel", "@here", "@everyone", "<script", "evil.example", "evil.com", "](", "<img", "```"):
            assert obeyed not in body
