"""Whether Redis takes writes: if it refuses them, with which error, why, and since when as far as that is known."""

from blueplane_doctor.errors import SourceError, SourceNotServing, SourceTooFull
from blueplane_doctor.examination import ServerInfo
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.entry_ids import LAST_POSSIBLE, EntryId
from blueplane_doctor.sources.redis_refusals import EXHAUSTED, PAUSED, Refusal, refusal_counts, refusal_of
from blueplane_doctor.text.times import iso_if_known, iso_of_milliseconds


class RedisWrites(Record):
    """Whether Redis takes what producers and writers send."""

    taken: bool | None
    """Null when that cannot be told, or when it refuses writes for a moment only, as after each restart."""
    refusal: str = ""
    """The error that it answers writes with, such as `OOM` or `READONLY`; `paused` when they get no
    answer, `exhausted` when the stream has no ID left."""
    reason: str = ""
    """Why."""
    since_timestamp: str | None = None
    """Since when, where that is known."""
    seconds_left: int | None = None
    """Until it takes writes again by itself, where the server says so."""
    last_message_timestamp: str | None = None
    """When the newest message of the queue was added; null while writes are taken, or when it cannot be read."""
    refused: dict[str, int] = {}
    """How often it answered each error that refuses a command, since its start or CONFIG RESETSTAT."""


class RedisWritesMonitor(Monitor):
    """Reads INFO, the settings where that is allowed, and asks whether writes are held back."""

    name = "redis_writes"
    record = RedisWrites

    def collect(self) -> RedisWrites:
        """A record also when Redis answers nothing but an error. Raises SourceError when it cannot be reached."""
        examination = self.examination
        try:
            info = examination.server_info()
        except SourceNotServing as error:
            return RedisWrites(taken=False, refusal=error.code, reason=f"it {error.state}")
        refusal = refusal_of(info.fields, examination.server_config(), info.now_ms)
        if refusal is None:
            refusal = self._not_serving() or self._exhausted() or self._held_back(info)
        if refusal is None:
            return RedisWrites(taken=True, refused=refusal_counts(info.fields))
        return RedisWrites(
            taken=None if refusal.is_momentary or not refusal.is_certain else False,
            refusal=refusal.code,
            reason=refusal.reason,
            since_timestamp=iso_if_known(refusal.since_ms),
            seconds_left=refusal.seconds_left,
            last_message_timestamp=self._last_message(info.now_ms),
            refused=refusal_counts(info.fields),
        )

    def _not_serving(self) -> Refusal | None:
        """INFO is answered also where nothing else is: by a replica without its master, in a cluster that is down."""
        try:
            self.examination.stream()
        except SourceNotServing as error:
            return Refusal(error.code, f"it {error.state}")
        except SourceError:
            pass  # whoever needs the stream tells of it
        return None

    def _exhausted(self) -> Refusal | None:
        """IDs only grow: after one with the largest possible ID nothing can be added."""
        try:
            newest = self.examination.stream().last_generated
        except SourceError:
            return None
        if newest < LAST_POSSIBLE:
            return None
        return Refusal(EXHAUSTED, "the queue stream has given the last ID that there is, and takes no message more")

    def _held_back(self, info: ServerInfo) -> Refusal | None:
        """CLIENT PAUSE WRITE, of which servers before Redis 8.0 do not tell."""
        if "paused_actions" in info.fields:
            return None
        try:
            if self.examination.redis.holds_writes_back():
                return Refusal(PAUSED, "CLIENT PAUSE holds every write back")
        except SourceTooFull:
            pass
        return None

    def _last_message(self, now_ms: int) -> str | None:
        try:
            newest: EntryId = self.examination.stream().last_generated
        except SourceError:
            return None
        # An ID ahead of the clock is somebody's choice, and no time.
        if newest[0] == 0 or newest[0] > now_ms:
            return None
        return iso_of_milliseconds(newest[0])


MONITOR = RedisWritesMonitor
