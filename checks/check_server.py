"""The pipeline's server: does it run, does it answer, did it leave events behind."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, not_graded

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.server_health import ServerHealth
    from blueplane_doctor.monitoring.server_uses import ServerUses


# The answer proves that the server runs, whatever the pid file says: a container has process ids of its own.
@check(area="server", scale=Scale.states(green="pid and HTTP|HTTP only", orange="pid only", red="neither"))
def check_server_alive(
    server: "ServerHealth", locations: "Locations", scale: Scale, server_uses: "ServerUses | None" = None
) -> Finding:
    """The process in server.pid runs and is the server, and GET /health answers.

    The answer alone is proof enough: in a container the server has a process id of its own, and an old pid file may
    name another program by now. The server answers even while nothing is being written. Where Blueplane's own settings
    cannot be used its port is not known, and nothing is judged.

    Causes:
    - it was never started, or ended: the end of its log says why
    - another program holds its port, so that it ends at once when it is started
    - it refuses to start because server.pid names a process that has been given the old number since
    - it runs and hangs, or listens on another port: `config/` of a checkout that it runs from wins over ~/.blueplane
    """
    evidence = {"pid": server.pid, "pid_state": server.pid_state, "http": server.http_answer}
    process = _process(server)
    if server_uses is not None and not server_uses.is_port_known:
        summary = f"{process}; whether the server answers is not known"
        cause = "Blueplane's own settings cannot be used, so that the server's port is not known"
        remedy = Remedy(text="Correct the settings: see server-settings.")
        return unknown(summary, cause, remedy=remedy, evidence=evidence)
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
        if server.port_is_taken:
            advice = "Another program holds the server's port: end it, or give the server another port; then start it."
    if state == "HTTP only":
        process += ", perhaps because the server runs in a container"
    return scale.grade(
        state,
        f"{process}; HTTP: {server.http_answer}",
        remedy=Remedy(text=advice, commands=[f"tail -n 50 {locations.log}"]),
        evidence=evidence,
    )


def _process(server: "ServerHealth") -> str:
    """What is known of the process in server.pid, as the beginning of a sentence."""
    process = {
        "running": f"Process {server.pid} runs",
        "not running": f"Process {server.pid} is not running",
        "another program": f"Process {server.pid} is another program by now",
        "no pid file": "There is no usable server.pid",
    }.get(server.pid_state, "What its process does is not known")  # of evidence from elsewhere
    if server.pid_cause:
        process += f" ({server.pid_cause})"
    return process


@check(area="server", scale=Scale.states(green="the same", red="another Redis|another database|both others"))
def check_same_pipeline(server_uses: "ServerUses", locations: "Locations", scale: Scale) -> Finding:
    """The running server uses the Redis and the database that are examined.

    Its process' connections and open files prove it, as far as the system shows them to this user; else its log or its
    configuration tells. Where they name others, all other findings are about a pipeline that this server does not feed.

    Causes:
    - the server was started from a checkout, whose `config/` comes before ~/.blueplane
    - --redis-url, --database or --home name those of another Blueplane
    """
    redis = server_uses.redis
    database = server_uses.database
    evidence: dict[str, object] = {"the server's process": server_uses.pid}
    if server_uses.configuration:
        evidence["its configuration"] = server_uses.configuration
    if redis.name:
        evidence["its Redis"] = redis.name
    if database.name:
        evidence["its database"] = database.name
    if not server_uses.is_running:
        return not_graded(None, "No process of the server is visible here that could use another Redis or database")
    compared = (redis.compared, database.compared)
    if "another" in compared:
        return _another_pipeline(server_uses, locations, scale, evidence)
    if compared == ("unknown", "unknown"):
        cause = f"{redis.cause}; {database.cause}"
        if server_uses.is_shown:
            return not_graded(None, f"Nothing names another Redis or database than those that are examined: {cause}")
        summary = "Whether the server uses the Redis and the database that are examined is not known"
        return unknown(summary, cause, evidence=evidence)
    parts = []
    if redis.compared == "the same":
        parts.append(f"the Redis that is examined (according to {redis.shown_by})")
    if database.compared == "the same":
        parts.append(f"the database that is examined (according to {database.shown_by})")
    return scale.grade("the same", f"The server uses {' and '.join(parts)}", evidence=evidence)


def _with(command: str, option: str, value: str) -> str:
    """The command with an option, in the place of the same one that it may have."""
    words = command.split(" ")
    if option in words:
        place = words.index(option)
        del words[place : place + 2]
    return " ".join([*words, option, value])


def _another_pipeline(
    server_uses: "ServerUses", locations: "Locations", scale: Scale, evidence: dict[str, object]
) -> Finding:
    redis = server_uses.redis
    database = server_uses.database
    state = "both others"
    parts = []
    commands = []
    if redis.compared == "another":
        parts.append(
            f"Redis {redis.name} (according to {redis.shown_by}), but {server_uses.examined_redis} is examined"
        )
        if server_uses.redis_port is not None:
            commands.append(_with(locations.doctor, "--redis-url", f"redis://127.0.0.1:{server_uses.redis_port}/0"))
    else:
        state = "another database"
    if database.compared == "another":
        parts.append(
            f"database {database.name} (according to {database.shown_by}), but {locations.database} is examined"
        )
        if database.name.startswith("~/"):
            commands.append(_with(locations.doctor, "--database", database.name))
        else:
            commands.append(f"lsof -p {server_uses.pid}")
    else:
        state = "another Redis"
    text = "Examine what the server uses, or change the server's settings and restart it."
    if server_uses.configuration:
        text += f" The server reads its settings from {server_uses.configuration}."
    return scale.grade(
        state,
        f"The server uses {', and '.join(parts)}",
        remedy=Remedy(text=text, commands=commands),
        evidence=evidence,
    )


# The examination goes on with defaults, which may be wrong; the server itself does not start with such a file.
@check(area="server", scale=Scale.states(green="usable", orange="not usable"))
def check_server_settings(server_uses: "ServerUses", locations: "Locations", scale: Scale) -> Finding:
    """The settings in Blueplane's home can be used: config.yaml, or redis.yaml of the earlier layout.

    What cannot be used in them counts as not written there: the default is examined, unless an option, the environment
    or doctor.yaml says otherwise. A home without such a file is in order.

    Causes:
    - the file was edited by hand, and is no YAML any more, or holds a value of another kind
    - a folder, a pipe or a file of another user stands in its place, or everybody may write to it
    """
    problem = server_uses.unused_config
    if not problem:
        return scale.grade("usable", "Blueplane's own settings can be used, or there are none")
    return scale.grade(
        "not usable",
        f"Blueplane's own settings cannot be used ({problem}); defaults are examined in their place",
        remedy=Remedy(
            text="Correct the file, then restart the server where it was started with it.",
            commands=[f"ls -l {locations.home}/config.yaml", f"{locations.doctor} settings"],
        ),
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
