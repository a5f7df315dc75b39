"""HealthMetricsStorage: the history behind one interface, in Redis TimeSeries where it is, else in plain Redis."""

from collections.abc import Sequence
from typing import Any, Protocol

from blueplane_doctor.history.link import Link, refusal
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.series import MINUTE, Point
from blueplane_doctor.history.stream_store import StreamStore
from blueplane_doctor.history.timeseries_store import LABEL, TimeSeriesStore

PREFIX = "blueplane:health:"
"""Every key of the doctor begins with it."""


class Store(Protocol):
    """One way of keeping samples.

    A store writes only keys that begin with its prefix, gives every one of them an expiry of seven days, keeps integers
    exactly and fractions to seven digits, keeps the last of two samples of a minute, takes samples in any order, and
    never fills a gap.
    """

    @property
    def name(self) -> str:
        """`timeseries` or `stream`."""

    def write(self, sample: Sample) -> None:
        """Keep a sample."""

    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]:
        """Each metric's steps."""

    def metrics(self) -> list[str]:
        """Names of all metrics."""


class HealthMetricsStorage:
    """Seven days of minute samples. All times are seconds since 1970.

    The server is asked once which store it allows. Every method raises SourceError when it cannot be reached or
    refuses.
    """

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        self.link = Link(url)
        self.prefix = prefix + "history:"
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
        """Names of all metrics that are kept, sorted."""
        return self._chosen().metrics()

    def samples(self, metrics: Sequence[str], since: float, until: float) -> list[Sample]:
        """The samples with these metrics, in time order; a minute in which none was recorded has no sample."""
        read = self.read_many(metrics, since, until)
        minutes: dict[int, dict[str, float]] = {}
        for metric, points in read.items():
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
            self._store, self._found = choose(self.link, self.prefix)
        return self._store


def choose(link: Link, prefix: str) -> tuple[Store, Any]:
    """TimeSeries where TS.* works for this user, else the stream; and the reply that says whether it holds anything.

    Raises SourceError.
    """
    series, stream = TimeSeriesStore(link, prefix), StreamStore(link, prefix)
    tried, there = link.ask(("TS.QUERYINDEX", f"{LABEL}={prefix}"), ("EXISTS", stream.samples_key))
    if not isinstance(tried, Exception):
        return series, tried
    said = str(tried)
    if said.startswith("NOPERM") and there != 1:
        raise refusal(link.url, said)  # the server has TimeSeries: a history may be there, unseen
    if not said.startswith("NOPERM") and "unknown command" not in said:
        raise refusal(link.url, said)
    return stream, there
