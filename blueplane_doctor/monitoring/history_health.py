"""The history: what the recorded samples say of the last hour, and the last day's courses for the report."""

from collections.abc import Collection, Sequence
from typing import Any

from blueplane_doctor.errors import DoctorError, SettingsError, SourceRefused, SourceUnusable
from blueplane_doctor.history import incident, room
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.losses import GroupLosses, SeenLoss, loss_of_all, losses_between
from blueplane_doctor.history.room import RoomForecast
from blueplane_doctor.history.samples import MINUTE, Sample, points_of
from blueplane_doctor.history.series import FEWEST, increase, is_fresh, minutes_until, rate_per_minute
from blueplane_doctor.history.status_log import StatusEntry
from blueplane_doctor.history.trend import group_metrics, group_samples, judge_backlog
from blueplane_doctor.metrics import CHARTED
from blueplane_doctor.model import StatusChange
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import kept_messages
from blueplane_doctor.privacy.public_fields import GroupName
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.times import iso_of_seconds

_HOUR = 3600
_TREND_SECONDS = 600
"""The window in which a backlog is judged: Burrow's usual one."""
_DAY = 24 * _HOUR
STEP = 15 * MINUTE
"""What one value of the courses stands for: about a hundred values a day."""
_DEPTH = "queue.queue_depth"
_DEAD_LETTERS = "queue.dlq_size"
_WAL_SIZE = "database.wal_size_mb"
REPORT_STATUS = "status.report"
"""A metric that every sample holds: its times are those of the samples."""
_MOST_CHANGES = 100
"""Of the last day, the newest: an incident has a dozen."""
_GROUP_METRIC = pattern(r"queue\.groups\.(.+)\.undelivered")


class GroupTrend(Record):
    """What the samples say of one writer group."""

    group: GroupName
    state: str
    """`caught up`, `draining`, `steady`, `falling behind`, `stalled`, `stopped` or `unknown`, over ten minutes."""
    backlog: int | None = None
    """Messages it has not finished with, at the newest sample."""
    per_minute: float | None = None
    """Change of the backlog; negative while it drains."""
    minutes_left: float | None = None
    """Until it is drained at that rate; only while draining."""
    still_seconds: int = 0
    """Without movement while something waited; only when stopped or stalled."""
    samples: int = 0
    """How many the state rests on."""
    cause: str = ""
    """Why the state is unknown."""


class HistorySeries(Record):
    """The course of one metric."""

    metric: str
    label: str
    unit: str
    points: list[tuple[str, float | None]]
    """Start of each step (ISO 8601, UTC), and its value; null where nothing was recorded."""


class OpenCause(Record):
    """A cause that the newest sample shows."""

    id: str
    since: str
    """The sample from which on every one of the last day showed it, without a gap between them."""


class HistoryHealth(Record):
    """The recorded samples. Figures that rest on fewer than three of them, or on old ones, are null."""

    samples: int
    """Of the last hour."""
    cause: str = ""
    """Why there are none."""
    hint: str = ""
    """What to do about it, where Redis refuses to tell, or is none that can hold it."""
    set_up: bool | None = None
    """Whether any sample was ever kept; null where that could not be read."""
    newest_sample_age_ms: int | None = None
    groups: list[GroupTrend] = []
    """The writer groups that the samples of the last hour know."""
    losses: list[GroupLosses] = []
    """The writer groups that the samples of the last day know."""
    dead_letters_last_hour: float | None = None
    """Rise of the dead letters within the last hour of samples; dropped ones take nothing away."""
    wal_growth_mb_last_hour: float | None = None
    """The write-ahead log now, less its smallest size within the last hour of samples."""
    backlog_per_minute: float | None = None
    """Change of the backlog over the last three samples."""
    minutes_to_loss: float | None = None
    """Until the backlog reaches max_length at that rate; 0 when it has, null when it does not grow."""
    room: dict[str, RoomForecast] = {}
    """Of `memory` (below maxmemory) and of the disks of `database`, `spool` and `redis`: those whose room shrinks."""
    changes: list[StatusChange] = []
    """Of the last day, oldest first; at most the newest 100."""
    open_causes: list[OpenCause] = []
    """Empty where the newest sample is too old to tell of now."""
    series: list[HistorySeries] = []
    """The last 24 hours in steps of 15 minutes."""

    @property
    def losses_compared(self) -> bool:
        """Whether samples of the last day could be compared for every writer group."""
        return bool(self.losses) and all(group.lost is not None for group in self.losses)

    @property
    def seen_loss(self) -> SeenLoss:
        """What the writer groups together were not given."""
        return loss_of_all(self.losses)


class HistoryHealthMonitor(Monitor):
    """Reads the samples that `blueplane-doctor record` keeps."""

    name = "history"
    record = HistoryHealth

    def collect(self) -> HistoryHealth:
        """A record also without a history that can be read: no samples, and the cause.

        Raises SourceError when it is to be in the examined Redis and that one does not answer as Redis does.
        """
        settings = self.examination.settings
        if settings.history_url in (None, settings.redis_url):
            self.examination.server_info()
            self.examination.redis.refuse_when_too_full()
        storage = HealthMetricsStorage(settings.history_redis_url, self.examination.deadline.remaining)
        try:
            if storage.begun():  # all that a run without a history costs: one round trip
                return self._read(storage)
            cause = f"there is no history in Redis at {storage.connection.address}"
            return HistoryHealth(samples=0, cause=cause, set_up=False)
        except (SettingsError, SourceRefused) as error:
            # A URL that only the examined Redis may have is no reason to stop either.
            return HistoryHealth(samples=0, cause=error.message, hint=error.hint)
        except DoctorError as error:
            return HistoryHealth(samples=0, cause=error.message)
        finally:
            storage.close()

    def _read(self, storage: HealthMetricsStorage) -> HistoryHealth:
        now = self.examination.now.timestamp()
        metrics = storage.metrics()
        groups = _groups_among(metrics)
        wanted = (_DEPTH, _DEAD_LETTERS, _WAL_SIZE, *room.METRICS)
        samples = _samples(storage, wanted, groups, now - _HOUR, now)
        health = judged(samples, groups, now, kept_messages(self.examination.settings.streams.max_length))
        # A loss stays to be seen for a day: newer servers forget it within seconds, and people sleep.
        day = _samples(storage, (REPORT_STATUS,), groups, now - _DAY, now)
        times = [time for time, _ in points_of(day, REPORT_STATUS)]
        losses = []
        for group in _groups_in(day, groups):
            losses.append(losses_between(group_samples(day, group), group))
        changed = {
            "losses": losses,
            "series": _read_series(storage, metrics, now),
            **_of_statuses(_read_statuses(storage), times, now, self.examination.known_ids),
        }
        return health.model_copy(update=changed)


def _samples(
    storage: HealthMetricsStorage, metrics: Sequence[str], groups: Sequence[str], since: float, now: float
) -> list[Sample]:
    """With these metrics, and those of the groups."""
    wanted = list(metrics)
    for group in groups:
        wanted += group_metrics(group)
    distinct = list(dict.fromkeys(wanted))  # groups share some
    return storage.samples(distinct, since, now)


def _read_statuses(storage: HealthMetricsStorage) -> list[StatusEntry]:
    """None where they cannot be read: a user who may read only the numbers still gets those."""
    try:
        return storage.statuses()
    except (SourceRefused, SourceUnusable):
        return []


def _of_statuses(
    entries: Sequence[StatusEntry], times: Sequence[int], now: float, known_ids: Collection[str]
) -> dict[str, Any]:
    """The changes of the last day, and the causes that are open now."""
    changes = []
    for change in incident.changes(entries, now - _DAY):
        changes.append(incident.status_change(change, known_ids))
    causes = []
    for name, since in sorted(incident.open_since(entries, times, now).items()):
        causes.append(OpenCause(id=incident.public_id(name, known_ids), since=iso_of_seconds(since)))
    return {"changes": changes[-_MOST_CHANGES:], "open_causes": causes}


def _groups_among(metrics: Sequence[str]) -> list[str]:
    """The writer groups that any of these metrics belongs to."""
    groups = []
    for metric in metrics:
        match = _GROUP_METRIC.fullmatch(metric)
        if match:
            groups.append(match[1])
    return groups


def _read_series(storage: HealthMetricsStorage, recorded: Sequence[str], now: float) -> list[HistorySeries]:
    """The courses of the last day, of the metrics that are drawn and were recorded."""
    drawn = {metric.path: metric for metric in CHARTED if metric.path in recorded}
    if not drawn:
        return []
    values = storage.read_many(list(drawn), now - _DAY, now, STEP)
    series = []
    for metric in drawn.values():
        points: list[tuple[str, float | None]] = []
        for moment, value in values[metric.path]:
            points.append((iso_of_seconds(moment), value))
        series.append(HistorySeries(metric=metric.path, label=metric.label, unit=metric.unit, points=points))
    return series


def judged(samples: Sequence[Sample], groups: Sequence[str], now: float, max_length: int) -> HistoryHealth:
    """What an hour of samples says at `now` (seconds since 1970)."""
    if not samples:
        return HistoryHealth(samples=0, cause="nothing was recorded in the last hour", set_up=True)
    recent = [sample for sample in samples if sample.time >= now - _TREND_SECONDS]
    # The last minutes decide: over ten of them an outage that has just begun, or just ended, would not be seen.
    depth = _points(recent, _DEPTH, now)[-FEWEST:]
    groups_read = []
    for group in _groups_in(samples, groups):
        groups_read.append(_group(samples, group, now, max_length))
    return HistoryHealth(
        samples=len(samples),
        set_up=True,
        newest_sample_age_ms=max(0, int((now - samples[-1].time) * 1000)),
        groups=groups_read,
        dead_letters_last_hour=increase(_points(samples, _DEAD_LETTERS, now)),
        wal_growth_mb_last_hour=_growth(_points(samples, _WAL_SIZE, now)),
        backlog_per_minute=_rounded(rate_per_minute(depth)),
        minutes_to_loss=_minutes_to_loss(depth, max_length),
        room=room.forecasts(samples, now),
    )


def _minutes_to_loss(depth: list[tuple[int, float]], max_length: int) -> float | None:
    """None also where nothing waits: an empty backlog is not on its way to a loss."""
    if not depth or not depth[-1][1]:
        return None
    return _rounded(minutes_until(depth, max_length))


def _groups_in(samples: Sequence[Sample], groups: Sequence[str]) -> list[str]:
    """Those that any of these samples knows: a name that nobody uses any more is kept for a week."""
    recorded: set[str] = set()
    for sample in samples:
        recorded.update(sample.values)
    return [group for group in groups if f"queue.groups.{group}.undelivered" in recorded]


def _group(samples: Sequence[Sample], group: str, now: float, limit: int) -> GroupTrend:
    recent = []
    for sample in group_samples(samples, group):
        if sample.time >= now - _TREND_SECONDS:
            recent.append(sample)
    backlog = judge_backlog(recent, now, limit)
    return GroupTrend(
        group=group,
        state=backlog.state,
        backlog=backlog.backlog,
        per_minute=_rounded(backlog.per_minute),
        minutes_left=_rounded(backlog.minutes_left),
        still_seconds=backlog.still_for,
        samples=backlog.samples,
        cause=backlog.cause,
    )


def _points(samples: Sequence[Sample], metric: str, now: float) -> list[tuple[int, float]]:
    """A metric's values; none where they are too few for a movement, or too old to tell of now."""
    points = points_of(samples, metric)
    if len(points) < FEWEST or not is_fresh(points, now):
        return []
    return points


def _growth(sizes: Sequence[tuple[int, float]]) -> float | None:
    """The newest size less the smallest: a log that was emptied within the hour has grown since."""
    if not sizes:
        return None
    smallest = min(size for _, size in sizes)
    return round(sizes[-1][1] - smallest, 3)


def _rounded(value: float | None) -> float | None:
    if value is None:
        return None
    return round(value, 2)


MONITOR = HistoryHealthMonitor
