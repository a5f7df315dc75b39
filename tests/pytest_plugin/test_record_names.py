"""Names of fixtures, read from the monitors' files and not by importing them."""

from pathlib import Path

from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.pytest_plugin.record_names import record_names


def test_every_record_of_a_report_is_named() -> None:
    reported = {name for name, monitor in find_monitors().items() if monitor.in_metrics}
    assert set(record_names()) == reported
    assert all(what[-1] in ".?" for what in record_names().values())


def test_a_new_file_is_enough(tmp_path: Path) -> None:
    monitor = '"""The weather."""\n\nclass Weather(Monitor):\n    name = "weather"\n{more}\n\nMONITOR = Weather\n'
    (tmp_path / "weather.py").write_text(monitor.format(more=""))
    (tmp_path / "places.py").write_text(monitor.format(more="    in_metrics = False  # settings"))
    (tmp_path / "helper.py").write_text('"""No monitor."""\n\nclass Row:\n    name = "row"\n')
    assert record_names(tmp_path) == {"weather": "The weather."}
