"""What the URLs of Sentinel and Cluster say, and what of them may be shown."""

from pathlib import Path

import pytest

from blueplane_doctor.connection.topology import address_of, database_of, topology_of
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.settings.values import load


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis+sentinel://u:secret@a:1,b/main/2", "the master behind the sentinels ***:1,***:26379"),
        ("rediss+cluster://[::1]:7000", "the cluster of [::1]:7000"),
    ],
)
def test_the_address_shows_no_secret(url: str, shown: str) -> None:
    assert address_of(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a:1",
        "redis+sentinel://a:1/main/two",
        "redis+sentinel:///main",
        "redis+cluster://",
        "redis+cluster://a:0",
        "redis+cluster://a/3",
        "redis+cluster://a?socket_timeout=9",
        "redis+nothing://a",
    ],
)
def test_urls_that_say_too_little_or_too_much(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"home": tmp_path, "redis_url": url.replace("://", "://:topsecret@", 1)})
    assert "topsecret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("redis://a:1", 0),
        ("redis://u:p@a:1/7", 7),
        ("rediss://a:1/3?ssl_cert_reqs=none", 3),
        ("unix:///run/redis.sock", 0),
        ("unix:///run/redis.sock?db=4", 4),
        ("redis+sentinel://a:1/main/2", 2),
        ("redis+cluster://a:1", 0),
    ],
)
def test_the_number_of_the_database(url: str, number: int) -> None:
    assert database_of(url) == number


def test_what_the_url_says() -> None:
    places = topology_of("rediss+sentinel://u:p%40ss@a:1,b/main/2?sentinel_password=s&ssl_ca_certs=/ca")
    assert places is not None
    assert places.nodes == (("a", 1), ("b", 26379))
    assert places.login == {"ssl": True, "ssl_ca_certs": "/ca", "username": "u", "password": "p@ss", "db": 2}
    assert places.sentinel_login == {"ssl": True, "ssl_ca_certs": "/ca", "password": "s"}
    assert topology_of("redis://a:1/0") is None
