"""The monitor of locations: the settings' own, without a look at anything."""

from contextlib import closing
from pathlib import Path

from blueplane_doctor.examination import Examination
from blueplane_doctor.locations import locate
from blueplane_doctor.monitoring.locations import LocationsMonitor
from blueplane_doctor.settings.values import load


def test_it_is_the_record_of_the_settings_and_asks_nobody(tmp_path: Path) -> None:
    settings = load({"home": tmp_path, "redis_url": "redis://127.0.0.1:1/0"}).settings
    with closing(Examination(settings)) as examination:
        record = LocationsMonitor(examination).collect()
        assert examination.redis.sent == 0
    assert record == locate(settings).locations
    assert not LocationsMonitor.in_metrics


def test_other_settings_give_other_locations(tmp_path: Path) -> None:
    records = []
    for port in (1, 2):
        settings = load({"home": tmp_path, "redis_url": f"redis://127.0.0.1:{port}/0"}).settings
        with closing(Examination(settings)) as examination:
            records.append(LocationsMonitor(examination).collect())
    assert records[0] != records[1]
