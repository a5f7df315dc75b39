"""Names that people chose themselves stay with them: in the settings, of files, in waivers, of checks of their own."""

from datetime import date
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from blueplane_doctor.settings.values import Loaded, load
from blueplane_doctor.support.bundle import bundled
from tests.privacy.corpus import Corpus

OWN_CHECK = '''
from blueplane_doctor import Finding, Status, check

@check(area="{area}")
def check_{name}(queue):
    """{text}."""
    return Finding(status=Status.RED, summary="{text}", evidence={{"{text}": "{text}"}})
'''
WRITTEN_FOR_REPORTS = ("user in a check's ", "user in the reason of ", "user in the owner of ", "user in the id of ")


@pytest.fixture
def corpus() -> Corpus:
    return Corpus()


@pytest.fixture
def loaded(corpus: Corpus, pipeline: Pipeline, tmp_path: Path) -> Loaded:
    """A pipeline whose stream, dead letters, group and database have names of their own."""
    pipeline.enqueue_cursor(5)
    queue, letters, group = (corpus.secret("user", f"the name of a {what}") for what in ("stream", "letters", "group"))
    pipeline.client.rename(pipeline.queue, queue)
    pipeline.client.xgroup_create(queue, group, "0")
    pipeline.client.xadd(letters, {"message_id": "1-1", "error_message": corpus.every("a dead letter")})
    database = tmp_path / corpus.secret("user", "a folder") / f"{corpus.secret('user', 'a file')}.db"
    database.parent.mkdir()
    pipeline.database.rename(database)
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    names = {part: corpus.secret("user", f"a check's {part}") for part in ("area", "name", "text")}
    (own / f"check_{names['name']}.py").write_text(OWN_CHECK.format(**names))
    waiver = {
        "id": "queue-*",
        "reason": corpus.secret("user", "the reason of a waiver"),
        "owner": corpus.secret("user", "the owner of a waiver"),
        "expires": date(9999, 1, 1),
    }
    flags = {
        "home": pipeline.home,
        "redis_url": pipeline.redis_url,
        "database": database,
        "streams": {"queue": queue, "dead_letters": [letters], "group": group},
        "checks": [own],
        "waivers": [waiver, {**waiver, "id": corpus.secret("user", "the id of a waiver")}],
    }
    return load(flags)


def test_the_bundle_holds_no_name_of_one_s_own(corpus: Corpus, loaded: Loaded) -> None:
    """As its manifest says."""
    doctor = Doctor(loaded.settings)
    evidence = doctor.collect()
    bundle = bundled(evidence, doctor.judge(evidence), loaded, doctor.available)
    for name, content in bundle.files.items():
        assert corpus.leaks(content.decode()) == [], name


def test_a_report_holds_only_what_was_written_for_it(corpus: Corpus, loaded: Loaded) -> None:
    """Waivers, and the texts of checks of one's own, are written to be shown in reports."""
    doctor = Doctor(loaded.settings)
    evidence = doctor.collect()
    assert corpus.leaks(to_json(evidence)) == []
    assert "hidden-" in to_json(evidence)
    report = doctor.judge(evidence)
    for form in find_formats().values():
        for leak in corpus.leaks(form.render(report, View(verbose=True))):
            assert leak.startswith(WRITTEN_FOR_REPORTS)
