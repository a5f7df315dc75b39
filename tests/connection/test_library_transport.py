"""TLS, and URLs with options."""

import inspect
from pathlib import Path

import pytest
import redis
import redis.exceptions as redis_errors

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.connection.library_transport import _opened
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import RedisSource
from tests.connection.servers import certificates, fill, free_port, seen
from tests.servers import require_server


def test_tls(tmp_path: Path) -> None:
    certificate, key = certificates(tmp_path)
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    options += ("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no", "--bind", "127.0.0.1")
    with run_server(require_server("redis-7.0"), arguments=options) as server:
        with redis.Redis.from_url(server.url) as client:
            fill(client)
        seen(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}", tmp_path)
        stranger = Doctor(load({"home": tmp_path, "redis_url": f"rediss://localhost:{port}/0"}).settings).collect(
            names=["queue"]
        )
        assert "certificate" in stranger.missing["queue"].lower()


class Broken:
    """A connection of the library whose opening fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self) -> None:
        raise self.error


def test_no_error_class_of_the_library_is_left_out() -> None:
    """Each becomes what a plain connection raises."""
    classes = [
        value
        for _, value in inspect.getmembers(redis_errors, inspect.isclass)
        if issubclass(value, redis_errors.RedisError | redis_errors.RedisClusterException)
    ]
    assert len(classes) > 20
    for kind in classes:
        error = kind.__new__(kind)
        Exception.__init__(error, "what came back")
        # Its text may hold private names; that it ends as an error of ours, without the text, is what counts.
        with pytest.raises(ConnectionError) as caught:
            _opened(Broken(error), Limits(), {})
        assert "what came back" not in str(caught.value)


def test_an_option_that_the_library_does_not_know_is_a_settings_error(valkey: RunningServer) -> None:
    with pytest.raises(SettingsError, match="redis_url"):
        RedisSource("redis://127.0.0.1:1?socket_timeout=soon", Deadline(5)).ask_one("PING")


def test_user_password_and_database_of_a_url_with_options() -> None:
    with run_server(tcp=True) as server, redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "doctor", "on", ">w@rd", "~*", "+@all")
        client.execute_command("SELECT", 3)
        client.connection_pool.disconnect()
        address = server.url.removeprefix("redis://").removesuffix("/0")
        source = RedisSource(f"redis://doctor:w%40rd@{address}/3?socket_timeout=1", Deadline(5))
        assert source.ask_one("XLEN", "nothing") == 0
        (listed,) = [each for each in client.client_list() if each["user"] == "doctor"]
        assert listed["db"] == "3"
        source.close()
