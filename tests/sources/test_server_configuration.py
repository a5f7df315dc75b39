"""Which configuration a server goes by, as the real one looks for it."""

from pathlib import Path

import pytest

from blueplane_doctor.sources.process_use import Address, ProcessUse
from blueplane_doctor.sources.server_configuration import (
    NO_FILE,
    OF_CHECKOUT,
    OF_HOME,
    ServerConfiguration,
    server_configuration,
)

DEFAULT = Address("localhost", 6379)


def configured(folder: Path, port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(f"redis: {{connection: {{host: 127.0.0.1, port: {port}}}}}\n")


def process(folder: Path | None, *command: str) -> ProcessUse:
    return ProcessUse(1, command=("python", *command), folder=folder)


def of(tmp_path: Path, *command: str) -> ServerConfiguration | None:
    return server_configuration(process(tmp_path / "checkout", *command), tmp_path / "home")


@pytest.mark.parametrize(
    "command",
    [
        ("scripts/start_server.py",),
        ("./scripts/../scripts/start_server.py",),
        ("-m", "src.processing.server"),
        ("src/processing/server.py", "--verbose"),
    ],
)
def test_that_of_the_checkout_comes_before_that_of_the_home(tmp_path: Path, command: tuple[str, ...]) -> None:
    configured(tmp_path / "home", 6379)
    configured(tmp_path / "checkout" / "config", 6390)
    assert of(tmp_path, *command) == ServerConfiguration(OF_CHECKOUT, Address("127.0.0.1", 6390))


def test_a_program_named_in_full_and_one_in_its_own_folder(tmp_path: Path) -> None:
    configured(tmp_path / "checkout" / "config", 6390)
    script = str(tmp_path / "checkout" / "scripts" / "start_server.py")
    found = server_configuration(process(Path("/"), script), tmp_path / "home")
    assert found == ServerConfiguration(OF_CHECKOUT, Address("127.0.0.1", 6390))
    scripts = tmp_path / "checkout" / "scripts"
    assert server_configuration(process(scripts, "start_server.py"), tmp_path / "home") == found


def test_the_home_counts_where_the_checkout_has_none(tmp_path: Path) -> None:
    configured(tmp_path / "home", 6391)
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(OF_HOME, Address("127.0.0.1", 6391))
    (tmp_path / "checkout" / "config").mkdir(parents=True)
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(OF_HOME, Address("127.0.0.1", 6391)), (
        "an empty folder"
    )


def test_a_folder_further_up_counts_too(tmp_path: Path) -> None:
    configured(tmp_path / "home", 6391)
    configured(tmp_path / "config", 6392)
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(OF_CHECKOUT, Address("127.0.0.1", 6392))


def test_without_a_file_and_without_a_redis_in_it_the_default_counts(tmp_path: Path) -> None:
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(NO_FILE, DEFAULT)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.yaml").write_text("logging: {level: INFO}\n")
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(OF_HOME, DEFAULT)


@pytest.mark.parametrize("text", ["a: [", "redis: {connection: {port: many}}", "- a list"])
def test_a_file_that_cannot_be_read_names_no_redis(tmp_path: Path, text: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.yaml").write_text(text)
    assert of(tmp_path, "scripts/start_server.py") == ServerConfiguration(OF_HOME, None)


@pytest.mark.parametrize("command", [(), ("-c", "blueplane_server"), ("/usr/bin/start_server",)])
def test_an_unknown_program_goes_by_nobody_knows_what(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert of(tmp_path, *command) is None
    assert server_configuration(process(None, "scripts/start_server.py"), tmp_path / "home") is None


@pytest.mark.parametrize("folder", ["a" * 5_000, "a\0b", "/proc/1/root/" + "b" * 300])
def test_a_folder_that_nobody_may_look_into_holds_nothing(tmp_path: Path, folder: str) -> None:
    assert of(tmp_path, f"{folder}/scripts/start_server.py") == ServerConfiguration(NO_FILE, DEFAULT)


def test_the_number_of_the_database_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "checkout" / "config"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("redis: {connection: {port: 6390, db: 3}}\n")
    found = of(tmp_path, "scripts/start_server.py")
    assert found is not None
    assert found.number == 3
