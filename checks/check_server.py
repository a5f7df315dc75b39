"""The pipeline's server: alive, answering, not complaining, nothing left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.server_health import ServerHealth


@check(area="server", scale=Scale.states(green="pid and HTTP", orange="pid only|HTTP only", red="neither"))
def check_server_alive(server: ServerHealth, scale: Scale) -> Finding:
    """The process in server.pid runs and is the server, and GET /health answers.

    An old pid file may name a process that is something else by now. The HTTP answer alone says little: the server
    gives it even while nothing is being written.

    Causes:
    - it was never started, or ended: the end of its log says why
    - it refuses to start because server.pid names a process that has been given the old number since
    - it runs and hangs, or listens on another port than the settings name
    """
    running = server.pid_state == "running"
    state = {
        (True, True): "pid and HTTP",
        (True, False): "pid only",
        (False, True): "HTTP only",
        (False, False): "neither",
    }[running, server.http_ok]
    process = f"process {server.pid}" if server.pid else "server.pid"
    words = {
        "running": f"{process} runs",
        "not running": f"{process} is not running",
        "another program": f"{process} is another program by now",
        "no pid file": "there is no usable server.pid",
    }[server.pid_state]
    said = f"{words}; HTTP: {server.http_answer}"
    return scale.grade(
        state,
        said[0].upper() + said[1:],
        remedy=Remedy(
            text="Start the Blueplane server; if it will not, the end of its log says why.",
            commands=["tail -n 50 ~/.blueplane/server.log"],
        ),
        evidence={"pid": server.pid, "pid_state": server.pid_state, "http": server.http_answer},
    )


@check(area="server", scale=Scale.rising(yellow_above=0, orange=10, red_above=60, unit="errors/min"))
def check_server_errors(server: ServerHealth, scale: Scale) -> Finding:
    """ERROR and CRITICAL lines a minute in the tail of the server's log, mean of the last five minutes.

    A reason to look, and no loss by itself: the same lines often name what stuck-consumers or retry-storm found.

    Causes:
    - a message that cannot be written, tried again and again (see retry-storm)
    - Redis or the database is away
    - a fresh start: a healthy one also writes a few lines of ERROR
    """
    rate = server.errors_per_minute
    if rate is None:
        return unknown(
            "Whether the server complains is not known",
            "there is no server.log in Blueplane's home, or it cannot be read",
        )
    said = (
        f"{rate:g} {'error' if rate == 1 else 'errors'} a minute in the server's log"
        if rate
        else "No error in the server's log for five minutes"
    )
    return scale.grade(
        rate,
        said,
        remedy=Remedy(text="Read them.", commands=["grep -E 'ERROR|CRITICAL' ~/.blueplane/server.log | tail"]),
        evidence={"last error": server.last_error_timestamp},
    )


# The buffer is written when Redis is away and read by nobody: one event in it is one that will not arrive.
@check(area="server", scale=Scale.rising(orange=1, red=100, unit="events"))
def check_undrained_buffer(server: ServerHealth, scale: Scale) -> Finding:
    """Events in event_buffer.db: they could not reach Redis, and nothing takes them there later.

    They are safe in that file, and will not arrive by themselves.

    Causes:
    - Redis was away while events came in
    """
    if server.buffered_events is None:
        return unknown("Whether events were left in the buffer is not known", server.buffer_cause)
    count = server.buffered_events
    said = (
        f"{count:,} {'event lies' if count == 1 else 'events lie'} in the local buffer and never reached Redis"
        if count
        else "No event is left in the local buffer"
    )
    return scale.grade(
        count,
        said,
        remedy=Remedy(
            text="They are safe in the file; nothing drains it today. Keep the file, and see why Redis was away.",
            commands=[
                "sqlite3 -readonly ~/.blueplane/event_buffer.db 'SELECT count(*), min(timestamp) FROM buffered_events'"
            ],
        ),
    )
