"""An event's way: put into the pipeline's shape, and sent to `POST /events`.

Over a plain socket: http.client alone would triple the start-up.
"""

import json
import os
import socket
import time

from blueplane_hook import intake, peer
from blueplane_hook.files import read

ANSWERS = {
    "beforeSubmitPrompt": b'{"continue": true, "permission": "allow"}\n',
    "beforeMCPExecution": b'{"permission": "allow"}\n',
    "beforeShellExecution": b'{"permission": "allow"}\n',
    "beforeReadFile": b'{"permission": "allow"}\n',
}
"""What Cursor expects on standard output; of its other hooks it expects nothing."""

CURSOR_EVENT_TYPES = {
    "beforeSubmitPrompt": "user_prompt",
    "afterAgentResponse": "assistant_response",
    "beforeMCPExecution": "mcp_execution",
    "afterMCPExecution": "mcp_execution",
    "beforeShellExecution": "shell_execution",
    "afterShellExecution": "shell_execution",
    "beforeReadFile": "file_read",
    "afterFileEdit": "file_edit",
    "stop": "agent_stop",  # not session_end: that would close the IDE session at the end of every turn
}
_CLAUDE_EVENT_TYPES = {
    "SessionStart": "session_start",
    "SessionEnd": "session_end",
    "UserPromptSubmit": "user_prompt",
    "PreToolUse": "tool_use",
    "PostToolUse": "tool_use",
    "Stop": "assistant_response",
    "PreCompact": "context_compact",
}

_BODY_LIMIT = 1_000_000
"""Bytes of a request; the server refuses more than 1 MiB."""
_KEPT_TEXT = 500
"""Characters that are kept of each text of an event that is too large."""

DELIVERED = "delivered"
REFUSED = "refused"
FAILED = "failed"
_DEFAULT_PORT = 8787
_USUAL_HOST = "127.0.0.1"
_REFUSALS = (400, 413)
"""Answers to an event that would be the same the next time."""

_Address = tuple[str, int]
"""Host and port; the path of a unix socket with port 0; nothing with port 0 where no server can be spoken to."""
NOWHERE: _Address = ("", 0)
_LARGEST_PORT = 65_535
_DIGITS = 5


def envelope(name: str, raw: bytes, home: str) -> bytes | None:
    """The request body for this event; None when the input is not understood."""
    given = intake.understood(raw)
    if given is None:
        return None
    body = _encoded(name, given, home)
    if len(body) > _BODY_LIMIT:
        body = _encoded(name, _shortened(given, len(raw)), home)
    return body


def _encoded(name: str, given: dict[str, object], home: str) -> bytes:
    """An event in the shape of Blueplane's own hooks.

    The editor's fields stay one level down: the writer copies fields of `full_data` into columns, and one of a
    wrong type would keep its whole batch from being written. No `event_id`: the server gives one, and an event
    delivered twice with the same would stop the writer.
    """
    workspace = _workspace(given)
    digest = ""
    metadata: dict[str, object] = {"pid": os.getpid(), "hook_event_id": os.urandom(8).hex()}
    if workspace:
        digest = _workspace_hash(workspace)
        metadata["workspace_hash"] = digest
    payload: dict[str, object]
    if name in _CLAUDE_EVENT_TYPES:
        platform = "claude_code"
        event_type = _CLAUDE_EVENT_TYPES[name]
        session = _text(given.get("session_id")) or "unknown"
        source = _text(given.get("source"))
        payload = {"session_id": session, "source": source, "workspace_path": workspace, "hook_input": given}
        if workspace:
            metadata["workspace_path"] = workspace
            metadata["project_name"] = os.path.basename(workspace.rstrip("/"))
    else:
        platform = "cursor"
        event_type = CURSOR_EVENT_TYPES.get(name, "hook")
        session = _cursor_session(given, home, digest)
        payload = {"full_data": {"hook_input": given}}
    metadata["external_session_id"] = session
    event = {
        "version": "1",
        "hook_type": name or _text(given.get("hook_event_name")) or "unknown",
        "event_type": event_type,
        "timestamp": _now(),
        "payload": payload,
        "metadata": metadata,
    }
    return json.dumps({"event": event, "platform": platform, "session_id": session}).encode("ascii")


def _workspace(given: dict[str, object]) -> str:
    """The folder that the editor works in; empty when it does not say."""
    roots = given.get("workspace_roots")
    if isinstance(roots, list) and roots:
        return _text(roots[0])
    return _text(given.get("cwd") or given.get("workspace_path"))


def _workspace_hash(workspace: str) -> str:
    """A workspace's name in the pipeline: the beginning of its path's SHA-256."""
    from hashlib import sha256  # loads OpenSSL, which takes longer than the rest; not every event has a workspace

    return sha256(workspace.encode()).hexdigest()[:16]


def _cursor_session(given: dict[str, object], home: str, digest: str) -> str:
    """The session by which the pipeline knows this window: the one that the Cursor extension wrote down, if it did."""
    session = os.environ.get("CURSOR_SESSION_ID")
    if not session and digest:
        session = _written_down_session(home, digest)
    return session or _text(given.get("conversation_id")) or _text(given.get("session_id")) or "unknown"


def _written_down_session(home: str, digest: str) -> str:
    """What the Cursor extension wrote down for this workspace; empty for nothing."""
    try:
        content = json.loads(read(f"{home}/cursor-session/{digest}.json", 10_000))
        return _text(content.get("CURSOR_SESSION_ID"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""


def _text(value: object) -> str:
    """A text that every column can hold; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return value[:4096].encode("utf-8", "replace").decode()  # JSON may hold half of a surrogate pair


def _now() -> str:
    seconds = time.time()  # with microseconds, as the other producers write it
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}+00:00"


def _shortened(given: dict[str, object], size: int) -> dict[str, object]:
    """The event's short values, the beginnings of its long texts, and how large it was."""
    kept: dict[str, object] = {"blueplane_hook_input_bytes": size}
    for key, value in list(given.items())[:100]:
        if isinstance(value, str):
            kept[key[:100]] = value[:_KEPT_TEXT]
        elif isinstance(value, int | float | bool):
            kept[key[:100]] = value
        elif key == "workspace_roots" and isinstance(value, list):
            kept[key] = [_text(root) for root in value[:10]]
    return kept


def address_of(url: str) -> _Address:
    """Host and port of `http://HOST:PORT`, or the path of `unix:PATH`; events are always sent to /events.

    NOWHERE for anything else, as `https`: it must not be spoken in clear text.
    """
    if url.startswith("unix:"):
        return "/" + url.removeprefix("unix:").lstrip("/"), 0
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() != "http":
        return NOWHERE
    place = rest or url
    place = place.partition("/")[0].rpartition("@")[2]  # a login is not sent, and is no part of the host's name
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):  # an IPv6 address ends so when no port follows it
        return place.strip("[]"), _DEFAULT_PORT
    if not port.isdecimal():
        return host.strip("[]"), _DEFAULT_PORT
    if len(port) > _DIGITS or not 0 < int(port) <= _LARGEST_PORT:
        return NOWHERE
    return host.strip("[]"), int(port)


def post(address: _Address, body: bytes, deadline: float) -> str:
    """DELIVERED when it was accepted, REFUSED when it never will be, FAILED when it is worth another try."""
    try:
        status = _status(address, body, deadline)
    except (OSError, ValueError, IndexError):
        return FAILED
    if status == 202:
        return DELIVERED
    if status in _REFUSALS:
        return REFUSED
    return FAILED


def _status(address: _Address, body: bytes, deadline: float) -> int:
    host = address[0]
    if not address[1]:
        host = "localhost"
    head = (
        f"POST /events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    encoding = "ascii"
    if not head.isascii():  # a host's name in other letters
        encoding = "idna"
    with _connected(address, deadline) as connection:
        # Set anew before each call: what each of them may take is what is left of the whole time.
        connection.settimeout(_left(deadline))
        connection.sendall(head.encode(encoding) + body)
        answer = b""
        while b"\r\n" not in answer and len(answer) < 1000:
            connection.settimeout(_left(deadline))
            part = connection.recv(1000)
            if not part:
                break
            answer += part
    return int(answer.split(b" ", 2)[1])


def _connected(address: _Address, deadline: float) -> socket.socket:
    """A connection to somebody who may have the event. Raises OSError."""
    host, port = address
    if port:
        connection = _connected_to_host(address, deadline)
        trusted = peer.is_trusted(connection, deadline)
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_left(deadline))
        trusted = peer.is_private_socket(host)
        if trusted:
            connection.connect(host)
            # Asked of the connection too: whoever may write to a folder above could change the socket in between.
            trusted = peer.is_trusted(connection, deadline)
    if not trusted:
        connection.close()
        raise PermissionError("another user listens there")
    return connection


def _connected_to_host(address: _Address, deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers. Raises OSError and ValueError."""
    host, port = address
    addresses = [address]
    if host != _USUAL_HOST:
        from blueplane_hook import names  # seldom needed, and the editor waits

        addresses = names.addresses_of(host, port, _left(deadline))
    failure = OSError("no address")
    for one in addresses:
        try:
            return socket.create_connection(one, _left(deadline))
        except OSError as error:
            failure = error
    raise failure


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
