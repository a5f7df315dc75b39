"""HealthMetricsStorage: the history behind one interface, in Redis TimeSeries where it is, else in plain Redis."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from blueplane_doctor.history.link import Link
from blueplane_doctor.history.samples import MINUTE, Point, Sample
from blueplane_doctor.history.stream_store import StreamStore
from blueplane_doctor.history.timeseries_store import LABEL, TimeSeriesStore


class Store(Protocol):
    """One way of keeping samples; its methods are those of HealthMetricsStorage.

    A store writes only keys that begin with its prefix, gives every one of them an expiry of seven days, keeps integers
    exactly and fractions to seven digits, keeps the last of two samples of a minute, takes samples in any order, and
    never fills a gap.
    """

    @property
    def name(self) -> str: ...
    def write(self, sample: Sample) -> None: ...
    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]: ...
    def metrics(self) -> list[str]: ...


class HealthMetricsStorage:
    """Seven days of minute samples; times are seconds since 1970.

    The server is asked once which store it allows. Methods raise SourceError when it cannot be reached or refuses.
    """

    prefix: ClassVar[str] = "blueplane:health:history:"
    """What every key begins with."""

    def __init__(self, url: str) -> None:
        self.link = Link(url)
        self._store: Store | None = None
        self._found: Any = None

    @property
    def backend(self) -> str:
        """`timeseries` or `stream`."""
        return self._chosen().name

    def begun(self) -> bool:
        """Whether anything was kept when the server was asked which store it allows: one round trip."""
        self._chosen()
        self.link.check(self._found)
        return bool(self._found)

    def write(self, sample: Sample) -> None:
        """Keep a sample; a second one of the same minute replaces the values that it has."""
        self._chosen().write(sample)

    def read(self, metric: str, since: float, until: float, step: int = MINUTE) -> list[Point]:
        """Every step of `step` seconds (whole minutes) from `since` to `until`; None where nothing was recorded."""
        return self.read_many([metric], since, until, step)[metric]

    def read_many(
        self, metrics: Sequence[str], since: float, until: float, step: int = MINUTE
    ) -> dict[str, list[Point]]:
        """The same for many metrics, in one round trip."""
        if step < MINUTE or step % MINUTE:
            raise ValueError("a step is a whole number of minutes")
        return self._chosen().read(metrics, since, until, step)

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
        return [Sample(moment, values) for moment, values in sorted(minutes.items())]

    def close(self) -> None:
        """Close the connection; the next use opens another and asks again."""
        self.link.close()
        self._store = None

    def _chosen(self) -> Store:
        if self._store is None:
            self._store, self._found = self._choose()
        return self._store

    def _choose(self) -> tuple[Store, Any]:
        """TimeSeries where TS.* works for this user, else the stream; and the reply that tells if it holds anything."""
        stream = StreamStore(self.link, self.prefix)
        tried, there = self.link.ask(("TS.QUERYINDEX", f"{LABEL}={self.prefix}"), ("EXISTS", stream.samples_key))
        if not isinstance(tried, Exception):
            return TimeSeriesStore(self.link, self.prefix), tried
        # without permission the server has TimeSeries: a history may be there, unseen
        may_be_there = there != 1 if str(tried).startswith("NOPERM") else "unknown command" not in str(tried)
        if may_be_there:
            self.link.check(tried)
        return stream, there
