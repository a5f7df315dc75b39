"""The folder of monitors is their list, and each keeps to the contract."""

from pathlib import Path

import pytest

from blueplane_doctor import monitoring
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import load

MONITORS = find_monitors()


def test_every_file_that_sets_monitor_is_one() -> None:
    files = sorted(Path(monitoring.__file__).parent.glob("*.py"))
    declaring = [file for file in files if "\nMONITOR = " in file.read_text(encoding="utf-8")]
    assert len(declaring) == len(MONITORS)
    assert len({monitor.record for monitor in MONITORS.values()}) == len(MONITORS), "each has a record of its own"


@pytest.mark.parametrize("name", MONITORS)
def test_a_monitor_says_what_it_reads(name: str) -> None:
    monitor = MONITORS[name]
    assert monitor.name == name
    assert issubclass(monitor, Monitor)
    assert issubclass(monitor.record, Record)
    assert monitor.__doc__


@pytest.mark.parametrize("name", MONITORS)
def test_where_nothing_is_there_it_gives_a_record_or_a_source_error(name: str, tmp_path: Path) -> None:
    """Anything else would be a defect: the engine would report it as one."""
    settings = load({"home": tmp_path, "redis_url": "redis://127.0.0.1:1/0"}).settings
    examination = Examination(settings)
    try:
        record = MONITORS[name](examination).collect()
    except SourceError as error:
        assert error.message
    else:
        assert isinstance(record, MONITORS[name].record)
    finally:
        examination.close()


@pytest.mark.parametrize("name", MONITORS)
def test_an_empty_pipeline_gives_a_whole_record(name: str, pipeline: Pipeline) -> None:
    settings = load({"home": pipeline.home, "redis_url": pipeline.redis_url}).settings
    examination = Examination(settings)
    try:
        record = MONITORS[name](examination).collect()
    except SourceError as error:
        assert name in ("history", "spool", "server"), error.message
    else:
        again = MONITORS[name].record.model_validate_json(record.model_dump_json())
        assert again == record, "what is kept can be judged again"
    finally:
        examination.close()


def test_a_monitor_without_collect_cannot_be_made(pipeline: Pipeline) -> None:
    class Unfinished(Monitor):
        name = "unfinished"
        record = Record

    with pytest.raises(TypeError, match="collect"):
        Unfinished(None)  # type: ignore[abstract,arg-type]
