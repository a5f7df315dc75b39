"""HealthMetricsStorage: the history behind one interface, in Redis TimeSeries where it is, else in plain Redis."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.topology import CLUSTER, topology_of
from blueplane_doctor.history.endpoint import history_endpoint
from blueplane_doctor.history.samples import MINUTE, Point, Sample
from blueplane_doctor.history.status_log import StatusEntry, StatusLog
from blueplane_doctor.history.stream_store import StreamStore
from blueplane_doctor.history.timeseries_store import LABEL, TimeSeriesStore
from blueplane_doctor.readings import metric_of
from blueplane_doctor.text.quantities import FRACTION

_CONNECTION_SECONDS = 30.0
"""As long as a run may take, by default."""


class Store(Protocol):
    """One way of keeping samples; its methods are those of HealthMetricsStorage.

    A store writes only keys that begin with its prefix, gives every one of them an expiry of seven days, keeps integers
    exactly and fractions to seven digits, keeps the last of two samples of a minute, takes samples in any order, and
    never fills a gap.
    """

    @property
    def name(self) -> str: ...
    @property
    def left_out(self) -> set[bytes]: ...
    def write(self, sample: Sample) -> bool: ...
    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]: ...
    def metrics(self) -> list[str]: ...


class HealthMetricsStorage:
    """Seven days of minute samples; times are seconds since 1970.

    The server is asked once which store it allows. Methods raise SourceError when it cannot be reached or refuses.
    """

    prefix: ClassVar[str] = "blueplane:health:history:"
    """What every key begins with."""

    def __init__(self, url: str, seconds: float = _CONNECTION_SECONDS) -> None:
        """`seconds`: for all that is asked before the next `close`; then a server that only drips is given up."""
        self.connection = Connection(history_endpoint(url), Limits(connection_seconds=seconds))
        self._statuses = StatusLog(self.connection, self.prefix)
        self._store: Store | None = None
        self._has_begun = False

    @property
    def backend(self) -> str:
        """`timeseries` or `stream`."""
        return self._chosen().name

    def begun(self) -> bool:
        """Whether anything was kept when the server was asked which store it allows: one round trip."""
        self._chosen()
        return self._has_begun

    def write(self, sample: Sample) -> bool:
        """Keep a sample; a second one of the same minute replaces the values that it has.

        False for one that is older than what is kept: the clock was ahead for a time, or is behind.
        """
        if not self._chosen().write(sample):
            return False
        if sample.statuses is not None:
            self._statuses.write(sample.time, sample.statuses)
        return True

    def statuses(self) -> list[StatusEntry]:
        """What was not green, an entry for each sample with other statuses than before, in order of time."""
        return self._statuses.read()

    def read(self, metric: str, since: float, until: float, step: int = MINUTE) -> list[Point]:
        """Every step of `step` seconds (whole minutes) from `since` to `until`; None where nothing was recorded."""
        return self.read_many([metric], since, until, step)[metric]

    def read_many(
        self, metrics: Sequence[str], since: float, until: float, step: int = MINUTE
    ) -> dict[str, list[Point]]:
        """The same for many metrics, in one round trip."""
        if step < MINUTE or step % MINUTE:
            raise ValueError("a step is a whole number of minutes")
        read = self._chosen().read(metrics, since, until, step)
        result = {}
        for metric, points in read.items():
            result[metric] = _in_fractions(metric, points)
        return result

    def metrics(self) -> list[str]:
        """Names of what is kept, sorted."""
        return self._chosen().metrics()

    def samples(self, metrics: Sequence[str], since: float, until: float) -> list[Sample]:
        """The samples with these metrics, in time order; a minute in which none was recorded has no sample."""
        minutes: dict[int, dict[str, float]] = {}
        for metric, points in self.read_many(metrics, since, until).items():
            for moment, value in points:
                if value is not None:
                    minutes.setdefault(moment, {})[metric] = value
        samples = []
        for moment, values in sorted(minutes.items()):
            samples.append(Sample(moment, values))
        return samples

    @property
    def left_out(self) -> int:
        """Entries and names, of those that were read since the last `close`, that no recorder wrote."""
        if self._store is None:
            return len(self._statuses.left_out)
        return len(self._store.left_out) + len(self._statuses.left_out)

    def close(self) -> None:
        """Close the connection; the next use opens another and asks again."""
        self.connection.close()
        self._statuses.left_out.clear()
        self._store = None

    def _chosen(self) -> Store:
        if self._store is None:
            self._store = self._choose()
        return self._store

    def _choose(self) -> Store:
        """TimeSeries where TS.* works for this user, else the stream."""
        stream = StreamStore(self.connection, self.prefix)
        topology = topology_of(self.connection.endpoint.url)
        if topology and topology.kind == CLUSTER:
            # Every series would lie on another node, and no node knows those of the others.
            self._has_begun = bool(self.connection.ask_one("EXISTS", stream.samples_key))
            return stream
        series, exists = self.connection.ask(
            ("TS.QUERYINDEX", f"{LABEL}={self.prefix}"), ("EXISTS", stream.samples_key)
        )
        if not isinstance(series, Exception):
            self._has_begun = bool(series)
            return TimeSeriesStore(self.connection, self.prefix)
        if _hides_a_history(series, exists):
            self.connection.check(series)
        self._has_begun = bool(self.connection.check(exists))
        return stream


def _hides_a_history(refusal: Exception, exists: Any) -> bool:
    """Whether TimeSeries may hold a history although TS.QUERYINDEX was refused.

    Without permission the server has TimeSeries, and uses it unless there is a stream already. A server that does not
    know the command has none.
    """
    if str(refusal).startswith("NOPERM"):
        has_stream: bool = exists == 1
        return not has_stream
    return "unknown command" not in str(refusal)


def _in_fractions(name: str, points: list[Point]) -> list[Point]:
    """A share as a fraction: samples of before schema version 2 hold percent, which is above 1 but for the worst."""
    metric = metric_of(name)
    if metric is None or metric.unit != FRACTION:
        return points
    converted: list[Point] = []
    for moment, value in points:
        if value is not None and value > 1:
            value = round(value / 100, 5)
        converted.append((moment, value))
    return converted
