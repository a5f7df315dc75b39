"""Causes that concern groups without custody: one that the doctor does not know, and readers that are behind."""

from blueplane_doctor import Cause, Findings, cause


@cause(no_repair="No repair touches a group that nobody knows.", stage="messages", shown_by=["unknown-groups"])
def cause_unknown_group(findings: Findings) -> Cause | None:
    """A consumer group that the doctor does not know reads the queue."""
    return findings.cause(
        "unknown-groups",
        more="What such a group writes is not judged.",
        certain=False,
        confirm="which version of Blueplane, or which other program, made the group",
    )


@cause(
    no_repair="No repair is needed: no trace is lost by it.",
    stage="messages",
    shown_by=["reader-lag"],
    follows=["server-down", "server-hangs", "writer-stopped", "writers-fall-behind", "backlog-outgrew-stream"],
)
def cause_reader_behind(findings: Findings) -> Cause | None:
    """A group that writes no traces is behind."""
    return findings.cause(
        "reader-lag",
        more="No trace is lost.",
        certain=False,
        confirm="whether anything still reads for the group: one of an earlier version does no harm",
    )
