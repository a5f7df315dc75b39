"""Small words that many tests use."""

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.diagnose import diagnose
from blueplane_doctor.model import Finding, Report
from blueplane_doctor.settings import Settings, load


def settings_for(pipeline: Pipeline, **flags: object) -> Settings:
    """Settings that examine this pipeline."""
    return load({"home": pipeline.home, "redis_url": pipeline.redis_url, **flags}).settings


def examined(pipeline: Pipeline, **flags: object) -> Report:
    """The report on this pipeline."""
    return diagnose(settings_for(pipeline, **flags))


def finding(report: Report, check_id: str) -> Finding:
    """The finding of one check."""
    return next(f for f in report.findings if f.id == check_id)
