"""Makes a plan: one examination, the items of the wanted targets, and what is refused."""

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache
from typing import Any

from blueplane_doctor.custody.judge import NO_TABLES
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.states import WAITING
from blueplane_doctor.errors import RepairRefused, UsageError, did_you_mean
from blueplane_doctor.examination import Examination
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.layouts import CURRENT
from blueplane_doctor.model import Report
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.monitoring.stream_presence import StreamPresence
from blueplane_doctor.pipeline import kept_messages
from blueplane_doctor.plugins.discovery import modules_of
from blueplane_doctor.repair.base import Case, Target, Wanted
from blueplane_doctor.repair.plan import SAVES, Action, Condition, Item, Plan, Refusal, Room, Source
from blueplane_doctor.repair.refusals import (
    another_pipeline,
    beside_written,
    in_the_way,
    running_writers,
    saved_only,
    settled,
    waits_for_server,
    with_writers,
    within_pipeline,
    within_room,
)
from blueplane_doctor.repair.slots import LETTERS_APART, apart_from, within_slot
from blueplane_doctor.repair.survey import Survey
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.entry_ids import BEGINNING, id_text
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.text.times import iso_of_milliseconds

_ORDER = (Source.NONE, Source.STREAM, Source.GONE, Source.DEAD_LETTER, Source.BUFFER, Source.SPOOL, Source.TRANSCRIPT)
"""Groups first: what is delivered needs them. Of messages with the same key, the one in the stream counts."""
_Progress = Callable[[int, int], None]


@cache
def find_targets() -> dict[str, Target]:
    """The targets by name: each module of the folder that sets `TARGET`."""
    targets = {}
    for module in modules_of("blueplane_doctor.repair.targets"):
        target = getattr(module, "TARGET", None)
        if target is not None:
            targets[target.name] = target
    return targets


def refuse_unknown_target(name: str) -> None:
    """Raises UsageError for a word that is the name of no target."""
    if name not in find_targets():
        names = ", ".join(find_targets())
        raise UsageError(
            f"{name[:60]} is neither a target of repair nor an ID",
            did_you_mean(name, find_targets(), f"one of {names}, or an ID"),
        )


def make_plan(settings: Settings, wanted: Wanted, identity: str, progress: _Progress | None = None) -> Plan:
    """Examine once and plan. Raises RepairRefused, SourceError, SettingsError and NoChecksError."""
    doctor = Doctor(settings)
    survey = Survey()
    with closing(Examination(settings, progress, doctor.available.built_in_ids, survey.take)) as examination:
        evidence = doctor.collect(examination=examination)
        case = Case(
            examination=examination,
            report=doctor.judge(evidence),
            records=dict(evidence.records),
            survey=survey,
            now_ms=examination.server_info().now_ms,
            gone=_gone_consumers(evidence.records.get("queue")),
            wanted=wanted,
        )
        presence = case.records.get("presence")
        if isinstance(presence, StreamPresence) and not presence.exists and not presence.wrong_type:
            return _plan_of_lost_stream(case, identity)
        # What the monitors read is remembered: where Redis did not answer them, the same error is raised here.
        _refuse_unjudged(examination, examination.ledger(), survey)
        return _plan_of(case, identity)


def _plan_of_lost_stream(case: Case, identity: str) -> Plan:
    """Where there is no stream, its groups are all that can be made."""
    planned, refusals = _planned(case, ["groups"])
    items, elsewhere = within_pipeline(planned, another_pipeline(case.report))
    streams = case.examination.settings.streams
    return Plan(
        **_origin(case, identity),
        queue=streams.queue or CURRENT.queue,
        dead_letters="",
        read_to=id_text(BEGINNING),
        items=tuple(items),
        refusals=(*refusals, *elsewhere),
        writers_run=not elsewhere,
        room=Room(used=0, limit=kept_messages(streams.max_length)),
    )


def _origin(case: Case, identity: str) -> dict[str, Any]:
    """What every plan says of the examination that it was made from."""
    info = case.examination.server_info()
    return {
        "id": identity,
        "made_at": iso_of_milliseconds(info.now_ms),
        "made_ms": info.now_ms,
        "home": str(case.examination.settings.home),
        "address": case.examination.redis.address,
        "run_id": info.fields.get("run_id", ""),
        "before": condition_of(case.report),
    }


def _refuse_unjudged(examination: Examination, ledger: Ledger, survey: Survey) -> None:
    """Raises RepairRefused where not every message was judged: the rest could hold the same keys."""
    reason = survey.overflow or ledger.rows_cause
    if not examination.trace_tables():
        reason = NO_TABLES
    elif ledger.partial:
        reason = "the time was up before the end of the stream; give more with --timeout"
    if reason:
        raise RepairRefused(f"nothing can be planned: {reason}", "only what was judged to the end can be repaired")


def _plan_of(case: Case, identity: str) -> Plan:
    examination = case.examination
    stream = examination.stream()
    items, refusals = _planned(case, find_targets())
    running = running_writers(examination)
    is_apart = apart_from(stream.queue, examination.server_info().fields)
    if case.wanted.saves_only:
        items = saved_only(items)
    else:
        items, more = _allowed(case, items, running)
        refusals += more
        waiting = examination.ledger().total(WAITING)
        if waiting and not running and not case.wanted.ids:
            refusals.append(waits_for_server(waiting))
    return Plan(
        **_origin(case, identity),
        queue=stream.queue,
        dead_letters="" if is_apart(_letters_of(stream)) else _letters_of(stream),
        read_to=id_text(stream.last_generated),
        items=tuple(items),
        refusals=tuple(refusals),
        room=_room(case, items),
        writers_run=running.issuperset(examination.writer_groups()),
    )


def _allowed(case: Case, items: list[Item], running: frozenset[str]) -> tuple[list[Item], list[Refusal]]:
    """The items that may be carried out now, and what is refused."""
    obstacle = in_the_way(case.report, case.records.get("server"), running)
    stream = case.examination.stream()
    is_apart = apart_from(stream.queue, case.examination.server_info().fields)
    items, in_other_slots = within_slot(items, is_apart)
    letters_apart = LETTERS_APART if is_apart(_letters_of(stream)) else ""
    items = settled(items, case.survey, obstacle, letters_apart)
    items, elsewhere = within_pipeline(items, another_pipeline(case.report))
    items, without_writer = with_writers(items, running, obstacle)
    items, without_room = within_room(items, _room(case, items))
    items = beside_written(items)
    return items, [*in_other_slots, *elsewhere, *without_writer, *without_room]


def _letters_of(stream: StreamState) -> str:
    """The stream that set-aside messages go to; empty where there is none."""
    if not stream.dead_letters:
        return ""
    return stream.dead_letters[-1]


def _planned(case: Case, names: Iterable[str]) -> tuple[list[Item], list[Refusal]]:
    """What the wanted ones of these targets give. A message that two of them want is the first one's."""
    items: dict[tuple[str, str], Item] = {}
    refusals = []
    targets = find_targets()
    for name in names:
        if not case.wanted.target(name):
            continue
        for one in targets[name].plan(case):
            if isinstance(one, Refusal):
                refusals.append(one)
            else:
                items.setdefault((one.origin, one.group), one)
    ordered = sorted(items.values(), key=lambda item: _ORDER.index(item.source))
    return ordered, refusals


def _room(case: Case, items: list[Item]) -> Room:
    """What is saved may be trimmed, and is not counted; what its own writer has still to write is."""
    saved = set()
    for item in items:
        if item.source is Source.STREAM and item.action in SAVES and item.action is not Action.RELEASE:
            saved.add(item.id)
    limit = kept_messages(case.examination.settings.streams.max_length)
    return Room(used=case.survey.used(frozenset(saved)), limit=limit)


def condition_of(report: Report) -> Condition:
    """What a report says of the pipeline as a whole."""
    chain = (report.metrics or {}).get("chain") or {}
    return Condition(status=report.status.value, headline=report.headline, equation=str(chain.get("equation", "")))


def _gone_consumers(record: object) -> frozenset[tuple[str, str]]:
    gone: set[tuple[str, str]] = set()
    if isinstance(record, QueueHealth):
        for group in record.groups:
            for consumer in group.consumers:
                if consumer.gone:
                    gone.add((group.name, consumer.name))
    return frozenset(gone)
