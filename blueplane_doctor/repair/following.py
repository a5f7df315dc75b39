"""Reads on in the stream while a plan is applied: copies that are there, and keys of messages that came since."""

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import Router
from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.plan import Item, Plan, origins_of
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import EntryId, entry_id, id_text
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.sources.trace_tables import Lookup


class Follower:
    """What came after the examination that a plan was made from."""

    def __init__(self, examination: Examination, plan: Plan) -> None:
        """Raises SourceError."""
        self._examination = examination
        self._queue = plan.queue
        self._router = Router(examination.routes(), examination.trace_tables(), examination.columns())
        self.looked_to: EntryId = entry_id(plan.read_to.encode())
        self.copies: dict[str, str] = {}
        """The IDs of copies, by what they are marked with last."""
        self.came: dict[Lookup, str] = {}
        """Messages that came since, by the keys of their rows; copies of this plan are not among them."""
        self.came_ids: list[EntryId] = []
        """The IDs of all that came since, ascending."""

    def catch_up(self) -> None:
        """Look at all that came since the last time. Raises SourceError."""
        redis = self._examination.redis
        state = pairs(redis.ask_one("XINFO", "STREAM", self._queue))
        last = entry_id(state["last-generated-id"])
        if last <= self.looked_to:
            return
        size = self._examination.server_info().dataset_bytes
        for page in pages(redis, self._queue, last, after=self.looked_to, length=state["length"], dataset_bytes=size):
            for entry in page:
                self._take(Message(entry))
        self.looked_to = last

    def _take(self, message: Message) -> None:
        self.came_ids.append(message.id)
        identity = id_text(message.id)
        origins = origins_of(list(message.fields.items()))
        if origins:
            self.copies[origins[-1]] = identity
        route = self._router.route(message)
        if route is None:
            return
        for lookup in route.lookups(message):
            self.came[lookup] = identity

    def added(self, copy_id: str) -> None:
        """Take note of a copy that was added right behind what was looked at."""
        self.looked_to = entry_id(copy_id.encode())
        self.came_ids.append(self.looked_to)

    def other_of(self, item: Item) -> str:
        """The ID of a message that came since and has the key of this item; empty where there is none."""
        copy_id = self.copies.get(item.origin)
        for key in item.keys:
            identity = self.came.get(key.lookup)
            if identity and identity != copy_id and key.is_unique:
                return identity
        return ""
