"""What `blueplane-hook` keeps for later, and what it lost."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.spool_health import SpoolHealth


# One event waits while the server restarts; a hundred are a whole session in which nothing arrived. At some kB an
# event a thousand are most of the spool's 5 MB, and what finds no room is dropped.
@check(area="capture", scale=Scale.rising(yellow=1, orange=100, red=1_000, unit="events"))
def check_hook_spool(spool: "SpoolHealth", locations: "Locations", scale: Scale) -> Finding:
    """Events that blueplane-hook could not hand to the server and keeps for later.

    Nothing is lost yet: the next hook calls that reach the server deliver them, oldest first, twenty at a time. A full
    spool drops new events, which hook-losses counts.

    Causes:
    - the Blueplane server does not run, hangs, or listens on another port than the hooks call
    - it runs again, and no hook has fired since
    """
    count = spool.waiting_events
    if count is None:
        return unknown("Whether events wait in the hooks' spool is not known", spool.cause)
    summary = "No event waits in the hooks' spool"
    if count:
        summary = f"{many(count, 'event waits', 'events wait')} in the hooks' spool for the server"
    return scale.grade(
        count,
        summary,
        remedy=Remedy(
            text="See whether the server answers, and start it where it does not run; the next hook calls then deliver "
            "what waits.",
            commands=[f"{locations.doctor} --select server-alive", f"tail -n 50 {locations.log}"],
        ),
        evidence={"bytes": spool.waiting_bytes, "room for bytes": spool.room_bytes, "ever kept": spool.spooled},
    )


# The same steps as chain-breaks: an event that was lost before it reached the stream is lost all the same.
@check(area="capture", scale=Scale.rising(orange=1, red=10, unit="events"))
def check_hook_losses(spool: "SpoolHealth", locations: "Locations", scale: Scale) -> Finding:
    """Events that blueplane-hook had to give up, counted since hook-failures.json was made.

    Dropped: the spool or the disk was full. Refused: the server answered 400 or 413, and would again. Not understood:
    the input was no JSON object, not UTF-8, over 64 MB or too deep; it is kept whole, each in a file
    `hook-spool-….kept`. Calls without any input are in the evidence; nothing is lost with them.

    Causes:
    - the server was away so long that the spool filled up
    - the disk is full, or Blueplane's home cannot be written
    - the server is of another version than the hooks, and does not take their events
    - the editor, or a program between it and the hook, changes or cuts what it sends
    """
    count = spool.lost
    if count is None:
        return unknown("Whether hooks lost events is not known", spool.cause)
    summary = "No hook has lost an event"
    if count:
        summary = f"{many(count, 'event', 'events')} did not get beyond the hooks: {spool.dropped:,} dropped, "
        summary += f"{spool.refused:,} refused by the server, {spool.not_understood:,} not understood"
    text = "See whether the disk is full and whether the server answers. What was lost does not come back. Once "
    text += f"the reason is gone, rename {locations.home}/hook-failures.json and keep it: the counting starts again."
    commands = [f"cat {locations.home}/hook-failures.json", f"df -h {locations.home}"]
    if spool.not_understood:
        text += " What was not understood lies in the files listed; they hold private text. Move them elsewhere once "
        text += "you know why."
        commands.append(f"ls -l {locations.home}/hook-spool-*.kept")
    return scale.grade(
        count,
        summary,
        remedy=Remedy(text=text, commands=commands),
        evidence={
            "dropped": spool.dropped,
            "refused": spool.refused,
            "not understood": spool.not_understood,
            "bytes of these": spool.not_understood_bytes,
            "calls without an event": spool.unreadable,
            "last failure": spool.last_failure_timestamp,
        },
    )
