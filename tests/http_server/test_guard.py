"""What a server of our own refuses, and what it tells browsers."""

import socket
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError
from blueplane_doctor.http_server.guard import (
    HEADERS,
    comes_from_another_site,
    has_token,
    is_loopback,
    names_us,
    read_token,
)
from blueplane_doctor.http_server.listening import ListenAddress
from tests.service.support import Served, serving

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:8788", True),
        ("127.0.0.1:8788", True),
        ("[::1]:8788", True),
        ("box.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example:8788", False),
        ("", False),
        ("localhost:8788@evil.example", False),
        ("localhost:port", False),
        ("[evil]", False),
    ],
)
def test_names_that_are_ours(host: str, allowed: bool) -> None:
    assert names_us(Headers({"host": host}), {"localhost", "box.example"}) is allowed


def test_no_host_and_two_are_refused() -> None:
    twice = Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")])
    assert not names_us(Headers({}), {"localhost"})
    assert not names_us(twice, {"localhost"})


@pytest.mark.slow
def test_a_name_pointed_at_this_machine_gets_nothing(served: Served) -> None:
    answer = served.get("/api/v1/health", headers={"Host": "rebound.example"})
    assert answer.status_code == 421
    assert "health_status" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/health", "/", "/nowhere", "/api/v1/health/history"])
def test_browsers_are_told_to_be_careful(served: Served, path: str) -> None:
    headers = served.get(path, headers={"Origin": "http://evil.example"}).headers
    assert all(name in headers for name in HEADERS)
    assert not [name for name in headers if name.startswith("access-control")]
    assert "server" not in headers


@pytest.mark.parametrize(
    ("request_line", "headers", "body", "code"),
    [
        pytest.param("GET /api/v1/health?" + "x" * 3000, "", "", 414, id="long query"),
        pytest.param("GET /" + "x" * 2000, "", "", 414, id="long path"),
        pytest.param("POST /api/v1/health", "Content-Length: 5\r\n", "hello", 413, id="body"),
        pytest.param("POST /api/v1/health", "", "", 405, id="method"),
        pytest.param("GET /..%2f..%2fetc/passwd", "", "", 404, id="traversal"),
        pytest.param("GET /api/v1/health/trace/%00%ff%0a", "", "", 404, id="undecodable"),
        pytest.param("GET /api/v1/health", "X: \x00\r\n", "", 400, id="control character"),
        pytest.param("GET /api/v1/health", "X: " + "y" * 200_000 + "\r\n", "", 400, id="large header"),
        pytest.param("GET /api/v1/health/history?metric=%ff%fe&since=%00", "", "", 422, id="undecodable query"),
        pytest.param("OPTIONS *", "", "", 404, id="star"),
        pytest.param("BREW /health", "", "", 405, id="other method"),
    ],
)
def test_hostile_requests_get_4xx(served: Served, request_line: str, headers: str, body: str, code: int) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        link.sendall(f"{request_line} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}".encode("latin-1"))
        first = link.recv(100).decode("latin-1")
    assert int(first.split()[1]) == code


def test_another_address_needs_a_token(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "box.example"):
        with pytest.raises(UsageError):
            ListenAddress(host).check(None)
        ListenAddress(host).check(TOKEN)
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert is_loopback(host)
        ListenAddress(host).check(None)


@pytest.mark.parametrize(
    ("content", "mode"),
    [(TOKEN, 0o644), ("short", 0o600), ("", 0o600), ("with blanks in it, and long", 0o600), ("ümläut" * 5, 0o600)],
)
def test_token_files_that_are_refused(tmp_path: Path, content: str, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(UsageError) as caught:
        read_token(file)
    assert not content or content not in caught.value.message + caught.value.hint


def test_a_token_file_that_others_may_replace_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    file = folder / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    assert read_token(file) == TOKEN
    folder.chmod(0o777)
    with pytest.raises(UsageError, match="others decide"):
        read_token(file)


def test_the_comparison_is_of_whole_tokens() -> None:
    def sent(*values: str) -> Headers:
        return Headers(raw=[(b"authorization", value.encode("latin-1")) for value in values])

    assert has_token(sent(f"Bearer {TOKEN}"), TOKEN)
    assert not has_token(sent(f"Bearer {TOKEN[:-1]}"), TOKEN)
    assert not has_token(sent("Bearer "), TOKEN)
    assert not has_token(sent("Basic ???"), TOKEN)
    assert not has_token(sent("Basic \xfc\xfc=="), TOKEN)
    assert not has_token(sent(TOKEN), TOKEN)
    assert not has_token(sent(f"Digest {TOKEN}"), TOKEN)
    assert not has_token(sent(f"Bearer {TOKEN}", f"Bearer {TOKEN}"), TOKEN)
    assert not has_token(sent(), TOKEN)


@pytest.mark.slow
def test_a_token_opens_everything(healthy: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    with serving(healthy, "--token-file", str(file), "--host", "0.0.0.0") as service:
        client = service.client
        client.base_url = service.url.replace("0.0.0.0", "127.0.0.1")
        assert client.get("/healthz").status_code == 200
        for path in ("/", "/metrics", "/api/v1/health", "/openapi.json", "/live/events"):
            refused = client.get(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Basic")
        assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/", auth=("anybody", TOKEN)).status_code == 200
        assert client.get("/", auth=("anybody", "wrong")).status_code == 401


@pytest.mark.slow
def test_a_unix_socket_of_this_user_alone(healthy: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "doctor.sock"
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(path))
    left_over.close()
    with serving(healthy, "--uds", str(path)) as service:
        service.ready()
        assert path.stat().st_mode & 0o077 == 0
        assert service.status() == "green"
    assert not path.exists()


@pytest.mark.parametrize(
    ("headers", "path", "code"),
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, "/api/v1/health", 403, id="another-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, "/live/events", 403, id="another-port"),
        pytest.param({"Sec-Fetch-Site": "Cross-Site"}, "/", 403, id="no-navigation"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
            "/",
            403,
            id="a-frame",
        ),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
            "/",
            200,
            id="a-link-to-the-page",
        ),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, "/live", 200, id="the-page-itself"),
        pytest.param({"Sec-Fetch-Site": "none"}, "/api/v1/health", 200, id="typed"),
        pytest.param({}, "/api/v1/health", 200, id="no-browser"),
    ],
)
def test_pages_of_other_sites_may_not_ask(served: Served, headers: dict[str, str], path: str, code: int) -> None:
    assert served.get(path, headers=headers).status_code == code


@pytest.mark.parametrize("sites", [("none", "cross-site"), ("cross-site", "none"), ("none", ""), ("none, cross-site",)])
def test_a_second_header_does_not_hide_the_first(sites: tuple[str, ...]) -> None:
    headers = Headers(raw=[(b"sec-fetch-site", site.encode()) for site in sites])
    assert comes_from_another_site(headers, may_be_linked=False)


@pytest.mark.parametrize(
    ("origin", "refused"),
    [("http://evil.example", True), ("null", True), ("http://h:1", True), ("http://h:8788", False)],
)
def test_a_page_of_another_origin_is_refused_where_the_browser_says_nothing_else(origin: str, refused: bool) -> None:
    headers = Headers(raw=[(b"host", b"h:8788"), (b"origin", origin.encode())])
    assert comes_from_another_site(headers, may_be_linked=False) is refused
