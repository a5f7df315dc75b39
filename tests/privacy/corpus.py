"""A seeded corpus of secrets, sown into every place of a pipeline that outsiders, users or a machine can fill."""

import json
import os
import string
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import redis

from blueplane_doctor.demo.messages import SHAPES
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.recording.minutes import key_of
from blueplane_doctor.sources.cursor_extension import IDENTITY
from blueplane_doctor.sources.cursor_places import WATCHED_GLOBAL
from tests.capture.transcripts import Project, write_rows
from tests.cursor_files import bubble, composer, composers, write_global, write_workspace

KINDS = {
    "prompt": "please rename {} before anybody at the bank hears of it",
    "path": "/home/{}/clients/{}/plan of attack.py",
    "windows path": "C:\\Users\\{}\\Documents\\{}.docx",
    "user": "{}",
    "host": "{}-laptop.corp.example",
    "e-mail": "{}@corp.example",
    "token": "sk-ant-api03-{}",
    "signed token": "eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl",
    "redis url": "redis://{}:{}@{}.corp.example:6380/0",
    "payment key": "sk_live_{}",
    "cloud key": "ASIA{}",
    "app token": "xapp-1-{}",
    "access token": "ya29.{}",
    "mail key": "SG.{}.x",
    "droplet token": "dop_v1_{}",
    "notebook token": "dapi{}",
    "class": "{}Error",
    "control": "\x1b]52;c;{}\x07",
    "workflow": "\n::error::{}",
}
"""What people and machines keep to themselves; the last three have the look of something else."""


class Corpus:
    """Makes secrets that occur nowhere else, and knows where each was sown."""

    def __init__(self, seed: int = 20_260_314) -> None:
        self._random = Random(seed)
        self.sown: dict[str, str] = {}
        """For each secret, lower case, the kind and the place."""

    def secret(self, kind: str, place: str) -> str:
        """A new secret of a kind."""
        parts = iter(self._new(f"{kind} in {place}") for _ in range(KINDS[kind].count("{}")))
        return KINDS[kind].format(*parts)

    def every(self, place: str) -> str:
        """A text with one secret of each kind."""
        return " | ".join(self.secret(kind, place) for kind in KINDS)

    def leaks(self, text: str) -> list[str]:
        """Where those secrets were sown that the text holds."""
        lower = text.lower()
        return sorted({f"{where}: …{_around(text, lower, it)}…" for it, where in self.sown.items() if it in lower})

    def _new(self, where: str) -> str:
        made = "".join(self._random.choices(string.ascii_lowercase, k=10))
        self.sown[made] = where
        return made


def _around(text: str, lower: str, secret: str) -> str:
    place = lower.index(secret)
    return text[max(place - 60, 0) : place + len(secret) + 20]


def sow(corpus: Corpus, pipeline: Pipeline) -> None:
    """Fill messages, dead letters, groups, consumers, recorded names, the log and the hooks of a pipeline."""
    for fields in _messages(corpus):
        pipeline.enqueue_cursor(1, **fields)
        pipeline.enqueue_claude(1, **fields)
    pipeline.drain()
    for kind in KINDS:
        pipeline.enqueue_claude(2)
        pipeline.deliver("claude_processors", consumer=corpus.secret(kind, "a consumer's name"))
        group = corpus.secret(kind, "a group's name")
        pipeline.client.xgroup_create(pipeline.queue, group, "0")
        pipeline.client.xreadgroup(group, corpus.secret(kind, "a consumer's name"), {pipeline.queue: ">"}, count=3)
    pipeline.age_pending("claude_processors", milliseconds=600_000)
    _record(corpus, pipeline)
    _give_up(corpus, pipeline)
    _complain(corpus, pipeline)
    pipeline.enqueue_cursor(3)


def _messages(corpus: Corpus) -> Iterator[dict[str, str]]:
    """For each kind of secret a message that has one in each field, and malformed ones."""
    for kind in KINDS:
        payload = {"text": corpus.secret(kind, "a payload"), "entry_data": {"uuid": corpus.secret(kind, "a payload")}}
        metadata = {name: corpus.secret(kind, "metadata") for name in ("source", "workspace_hash", "project_name")}
        yield {"payload": json.dumps(payload)}
        yield {"metadata": json.dumps(metadata)}
        yield {"payload": corpus.secret(kind, "a malformed payload")}
        yield {"metadata": corpus.secret(kind, "malformed metadata")}
        yield {"enqueued_at": corpus.secret(kind, "enqueued_at"), "timestamp": corpus.secret(kind, "timestamp")}
        yield {corpus.secret(kind, "the name of a field"): "x"}
        for name in ("event_id", "session_id", "external_session_id", "platform", "hook_type", "event_type"):
            yield {name: corpus.secret(kind, name), "payload": "malformed"}


def _record(corpus: Corpus, pipeline: Pipeline) -> None:
    """Names in what recorders and the history keep, which whoever may write to Redis chooses."""
    minute = int(pipeline.clock().timestamp() // 60)
    for kind in KINDS:
        for what in ("w|ok|", "h|ok|cursor/", "h|ok|", "m|ok|"):
            pipeline.client.hset(key_of(minute), what + corpus.secret(kind, "a recorded name"), 1)
        for name in ("status.", "queue.dlq_sizes.", "database.tables.", "queue.groups.{}.pending"):
            secret = corpus.secret(kind, "the name of a metric")
            text = name.replace("{}", secret) if "{}" in name else name + secret
            pipeline.client.hset("blueplane:health:history:names", text, len(text))
        secret = corpus.secret(kind, "the name of a metric")
        for text in (f"check:{secret}", f"cause:{secret}"):
            pipeline.client.xadd("blueplane:health:history:statuses", {"report": "red", text: "red"})


def _give_up(corpus: Corpus, pipeline: Pipeline) -> None:
    """Dead letters in every shape, with error texts that quote what could not be written."""
    for kind in KINDS:
        for shape in SHAPES:
            (entry,) = pipeline.enqueue_cursor(1, payload={"text": corpus.secret(kind, "a dead letter's payload")})
            for group in pipeline.writer_groups:
                pipeline.deliver(group)
            pipeline.dead_letter(entry, shape, error=ValueError(f"cannot write {corpus.secret(kind, 'an error text')}"))
        odd = {
            name: corpus.secret(kind, f"a dead letter's {name}") for name in ("error_message", "reason", "traceback")
        }
        for name in ("error_type", "message_id", "consumer_group", "event_type", "platform", "retry_count"):
            odd[name] = corpus.secret(kind, f"a dead letter's {name}")
        pipeline.client.xadd("telemetry:dlq", dict(odd))
        for phrase in ("UNIQUE constraint failed: {}", "no such table: {}", "'{}' object has no attribute '{}'"):
            text = phrase.replace("{}", corpus.secret(kind, "behind a phrase of a library"))
            pipeline.client.xadd("telemetry:dlq", {"message_id": "1-1", "error_message": text})


def _complain(corpus: Corpus, pipeline: Pipeline) -> None:
    """Log lines that quote everything, with a traceback."""
    for kind in KINDS:
        pipeline.log("ERROR", f"Failed to write {corpus.secret(kind, 'the log')}: sqlite3.OperationalError: locked")
        pipeline.log("INFO", corpus.secret(kind, "the log"))
        logger = corpus.secret(kind, "a logger's name").replace(" ", "_").strip()
        pipeline.log("ERROR", f"{corpus.secret(kind, 'the log')}Error: failed", logger=logger)
    with (pipeline.home / "server.log").open("a", encoding="utf-8") as log:
        log.write("Traceback (most recent call last):\n")
        log.write(f'  File "{corpus.secret("path", "a traceback")}", line 12, in flush\n')
        function = corpus.secret("user", "the name of a function")
        log.write(f'  File "x.py", line 13, in {function}\n')
        log.write(f"{corpus.secret('user', 'a class of errors').title()}Error: failed\n")
        log.write(f"    write({corpus.every('a line of code')!r})\n")
        log.write(f"redis.exceptions.ConnectionError: {corpus.every('an error')}\n")


def login(corpus: Corpus, url: str) -> str:
    """The URL of the same server for a user of its own; user and password are secrets."""
    user, password = corpus.secret("user", "the URL"), corpus.secret("token", "the URL")
    with redis.Redis.from_url(url) as client:
        client.acl_setuser(user, enabled=True, passwords=[f"+{password}"], keys=["*"], categories=["+@all"])
    return url.replace("redis://", f"redis://{user}:{password}@")


def machine(corpus: Corpus, folder: Path) -> Mapping[str, str]:
    """Environment variables of a person's machine."""
    home = folder / corpus.secret("user", "HOME")
    home.mkdir()
    user, host = corpus.secret("user", "USER"), corpus.secret("host", "HOSTNAME")
    tokens = {name: corpus.secret("token", name) for name in ("GITHUB_TOKEN", "ANTHROPIC_API_KEY")}
    return {"HOME": str(home), "USER": user, "LOGNAME": user, "HOSTNAME": host, "EMAIL": f"{user}@{host}"} | tokens


def sow_editors(corpus: Corpus, user: Path) -> None:
    """Cursor's databases, and the files of hooks of both editors, below a user's home."""
    now_ms = int(time.time() * 1000)
    hour_ago = now_ms - 3_600_000
    texts = {kind: corpus.secret(kind, "a text of Cursor") for kind in KINDS}
    values: dict[str, Any] = {}
    for kind in KINDS:
        key = corpus.secret(kind, "a key of Cursor")
        values[f"composerData:{key}"] = composer(key, hour_ago, **texts)
        values[f"bubbleId:{key}:{key}"] = bubble(hour_ago, **texts)
        values[f"bubbleId:{key}"] = bubble(hour_ago, **texts)
    write_global((user / WATCHED_GLOBAL).parents[1], values)
    cursor = user / ".config" / "Cursor" / "User"
    for kind in KINDS:
        identity = corpus.secret(kind, "an ID of Cursor")
        members = composers(composer(identity, hour_ago, conversation=[{"bubbleId": identity}], **texts))
        members["aiService.generations"] = [{"generationUUID": identity, "unixMs": hour_ago, **texts}]
        name = corpus.secret("user", "the folder of a workspace of Cursor")
        write_workspace(cursor, name, members, workspace="/" + corpus.secret("user", "a workspace of Cursor"))
    for path in (user / ".cursor" / "hooks.json", user / ".claude" / "settings.json"):
        hooks = {}
        for kind in KINDS:
            command = f"/{corpus.secret('user', 'the path of a hook')} {corpus.secret(kind, 'the command of a hook')}"
            hook = {"type": "command", "command": command}
            hooks[corpus.secret(kind, "the name of a hook")] = [{**hook, "hooks": [hook]}]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"hooks": hooks, "env": {"TOKEN": corpus.every("the environment of Claude Code")}}))
    extension = user / ".cursor" / "extensions" / f"{IDENTITY}-{corpus.secret('user', 'the folder of the extension')}"
    extension.mkdir(parents=True)
    (extension / "package.json").write_text(json.dumps({"version": corpus.secret("token", "the extension's version")}))
    day_ago = now_ms / 1000 - 86_400
    os.utime(extension, (day_ago, day_ago))  # since when Cursor is captured here


def sow_transcripts(corpus: Corpus, pipeline: Pipeline, projects: Path) -> list[str]:
    """Fill transcripts, the names of projects and sessions among them; the uuids of lines that nothing captured."""
    uuids = []
    for kind in ("user", "token", "class"):
        workspace = f"/home/{corpus.secret('user', 'a workspace')}/{corpus.secret(kind, 'a project')}.v2"
        project = Project(projects, workspace)
        session = corpus.secret("user", "the name of a session")
        lines = project.lines(session, 6)
        for line in lines:
            line["message"] = {"role": "assistant", "content": corpus.every("a transcript's text")}
            line["type"] = corpus.secret(kind, "the type of a line")
            line["gitBranch"] = corpus.secret(kind, "a branch")
            line["toolUseResult"] = {"agentId": corpus.secret("user", "an agent"), "out": corpus.every("a result")}
        lines[5]["uuid"] = corpus.secret("user", "a uuid")
        project.write(session, lines)
        project.write(f"agent-{corpus.secret('user', 'the file of an agent')}", project.lines(session, 2))
        write_rows(pipeline, session, lines[:2])
        uuids += [line["uuid"] for line in lines[2:]]
    (projects.parent / "settings.json").write_text(json.dumps({"hooks": {}, "env": corpus.every("Claude's settings")}))
    return uuids
