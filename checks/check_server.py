"""The pipeline's server: does it run, does it answer, does it log errors, did it leave events behind."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.server_health import ServerHealth


@check(area="server", scale=Scale.states(green="pid and HTTP", orange="pid only|HTTP only", red="neither"))
def check_server_alive(server: "ServerHealth", locations: "Locations", scale: Scale) -> Finding:
    """The process in server.pid runs and is the server, and GET /health answers.

    An old pid file may name another program by now, and the server answers even while nothing is being written.

    Causes:
    - it was never started, or ended: the end of its log says why
    - it refuses to start because server.pid names a process that has been given the old number since
    - it runs and hangs, or listens on another port: `config/` of a checkout that it runs from wins over ~/.blueplane
    """
    running = server.pid_state == "running"
    advice = "Start the Blueplane server; if it does not start, the end of its log says why."
    if running and server.http_ok:
        state = "pid and HTTP"
    elif running:
        state = "pid only"
        advice = "See whether it hangs, or uses another port: config/ of its checkout comes before ~/.blueplane."
    elif server.http_ok:
        state = "HTTP only"
    else:
        state = "neither"
    process = {
        "running": f"Process {server.pid} runs",
        "not running": f"Process {server.pid} is not running",
        "another program": f"Process {server.pid} is another program by now",
        "no pid file": "There is no usable server.pid",
    }[server.pid_state]
    return scale.grade(
        state,
        f"{process}; HTTP: {server.http_answer}",
        remedy=Remedy(text=advice, commands=[f"tail -n 50 {locations.log}"]),
        evidence={"pid": server.pid, "pid_state": server.pid_state, "http": server.http_answer},
    )


@check(area="server", scale=Scale.rising(yellow_above=0, orange=10, red_above=60, unit="errors/min"))
def check_server_errors(server: "ServerHealth", locations: "Locations", scale: Scale) -> Finding:
    """ERROR and CRITICAL lines a minute in the tail of the server's log, mean of the last five minutes.

    A reason to read the log; nothing is lost by it. The same lines often explain stuck-consumers or retry-storm.

    Causes:
    - a message that cannot be written, tried again and again (see retry-storm)
    - Redis or the database is away
    - a fresh start: a healthy one also writes a few lines of ERROR
    """
    rate = server.errors_per_minute
    if rate is None:
        return unknown(
            "Whether the server logs errors is not known",
            "there is no server.log in Blueplane's home, or it cannot be read",
        )
    summary = "No error in the server's log for five minutes"
    if rate:
        summary = f"{many(rate, 'error', 'errors')} a minute in the server's log"
    return scale.grade(
        rate,
        summary,
        remedy=Remedy(text="Read them.", commands=[f"grep -E 'ERROR|CRITICAL' {locations.log} | tail"]),
        evidence={"last error": server.last_error_timestamp},
    )


# The buffer is written when Redis is away and read by nobody: one event in it is one that will not arrive.
@check(area="server", scale=Scale.rising(orange=1, red=100, unit="events"))
def check_undrained_buffer(server: "ServerHealth", locations: "Locations", scale: Scale) -> Finding:
    """Events in event_buffer.db: they could not reach Redis, and nothing takes them there later.

    They are safe there, and will not arrive by themselves.

    Causes:
    - Redis was away while events came in
    """
    count = server.buffered_events
    if count is None:
        return unknown("Whether events were left in the buffer is not known", server.buffer_cause)
    summary = "No event is left in the local buffer"
    if count:
        summary = f"{many(count, 'event lies', 'events lie')} in the local buffer and never reached Redis"
    return scale.grade(
        count,
        summary,
        remedy=Remedy(
            text="Nothing drains the file today. Keep it, and see why Redis was away.",
            commands=[
                f"sqlite3 -readonly {locations.event_buffer} 'SELECT count(*), min(timestamp) FROM buffered_events'"
            ],
        ),
    )
