"""Capture's wiring: are the editors told to send their events, and can they?"""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, not_graded

if TYPE_CHECKING:
    from blueplane_doctor.capture.hook_wiring import WiringFault
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.capture_wiring import CaptureWiring

_MEANING = {
    "not_used": "the editor does not use {place}: {reason}",
    "may_be_skipped": "the editor may skip {place}: {reason}",
    "hooks_disabled": "hooks are switched off in {place}",
    "managed_only": "only managed hooks run: {place} say so, and the pipeline's are none",
    "command_missing": "the program of {entry} in {place} is gone",
    "command_not_executable": "the program of {entry} in {place} may not be run",
    "command_not_on_path": "the program of {entry} in {place} is not on the PATH",
    "hooks_missing": "{place} tells the server of no session any more: {reason}",
    "extension_missing": "{place} is not there any more",
    "folder_not_found": "the server cannot find {place}",
    "folder_elsewhere": "the server does not read {place}: {reason}",
    "versions_differ": "{place} has another version: {reason}",
}
_MOST_SENTENCES = 8
"""Faults that are told; the others are counted."""
_MOST_ENTRIES = 3
"""Entries of one file that are named in one sentence."""
_NOT_WIRED = frozenset(_MEANING) - {
    *("may_be_skipped", "command_not_on_path", "hooks_missing", "versions_differ"),
}
_STEPS = {
    "not_used": "Correct the file: it has to be strict JSON without a byte-order mark, comments or trailing commas, "
    "and one wrong entry makes Claude Code skip all of it.",
    "may_be_skipped": "See in Claude Code (/doctor) whether it takes the file.",
    "hooks_disabled": "Take disableAllHooks out where hooks are to run.",
    "managed_only": "Whoever manages Claude Code has to add the pipeline's hooks to the managed settings.",
    "command_missing": "Install the hooks anew: blueplane-doctor install --only hooks shows what it would change.",
    "command_not_executable": "Let its user run the program (chmod u+x), or install the hooks anew.",
    "command_not_on_path": "Name the program with its whole path: editors have another PATH than a terminal.",
    "hooks_missing": "Install the hooks anew, unless a plugin of Claude Code brings them: blueplane-doctor install "
    "--only hooks shows what it would change.",
    "extension_missing": "Install Blueplane's extension in Cursor anew, and open the window again.",
    "folder_not_found": "A workspace whose path has letters, digits, dashes and slashes alone is found by the server.",
    "folder_elsewhere": "Let ~/.claude/projects be a link to the folder in which Claude Code keeps its transcripts.",
    "versions_differ": "Install the hooks and the services with the program that you use: blueplane-doctor install.",
}


# What is certain to keep an editor's events away is orange: other editors still send theirs. What only may is yellow.
@check(area="capture", scale=Scale.states(green="wired", yellow="doubtful", orange="not wired"))
def check_capture_wiring(wiring: "CaptureWiring", locations: "Locations", scale: Scale) -> Finding:
    """Whether the editors are told to send their events, and can.

    Looked at are Cursor's hooks.json and Claude Code's settings, also those of the projects of open sessions and the
    managed ones. They are read as strictly as the editors read them, and no command in them is run. Looked at are also
    the extension in Cursor, the versions of hook, services and doctor, and whether the server finds the transcripts of
    open sessions.

    Causes:
    - a file was edited by hand, or by a program that writes comments, or has an entry of another form
    - an environment was deleted or moved, and the hooks still name its programs
    - a policy of the company allows managed hooks alone
    - a project's path holds a dot, an underscore or a space, so that the server does not find its transcripts
    """
    evidence = wiring.model_dump()
    faults = sorted(wiring.faults, key=lambda fault: not _cuts_off(fault))
    if not faults and not wiring.cursor_is_there and not wiring.claude_is_there:
        summary = "Neither Cursor nor Claude Code was used by this user: nothing to judge"
        return not_graded(None, summary, evidence=evidence)
    if not faults and wiring.claude_is_there and wiring.unfindable_sessions is None:
        summary = "Whether the server finds the transcripts of open sessions is not known"
        return unknown(summary, wiring.sessions_cause, evidence=evidence)
    if not faults:
        commands = many(wiring.cursor_commands + wiring.claude_commands, "command", "commands")
        summary = f"Nothing keeps the editors from sending their events: {commands} of hooks can be run"
        return scale.grade("wired", summary, evidence=evidence)
    state = "not wired" if _cuts_off(faults[0]) else "doubtful"
    return scale.grade(state, _summary(faults), remedy=_remedy(faults, locations), evidence=evidence)


def _cuts_off(fault: "WiringFault") -> bool:
    """Whether it is sure to keep events of the pipeline away."""
    return fault.ours and fault.kind in _NOT_WIRED


def _summary(faults: "list[WiringFault]") -> str:
    """All faults, in their order; what is wrong with several entries of one file in the same way is told once."""
    alike: dict[tuple[str, str, str], list[WiringFault]] = {}
    for fault in faults:
        alike.setdefault((fault.kind, fault.place, fault.reason), []).append(fault)
    sentences = []
    for group in alike.values():
        entries = list(dict.fromkeys(fault.entry for fault in group))
        named = " and ".join(entries[:_MOST_ENTRIES])
        if len(entries) > _MOST_ENTRIES:
            named += f" and {len(entries) - _MOST_ENTRIES} more"
        sentences.append(_sentence(group[0].model_copy(update={"entry": named})))
    summary = "; ".join(sentences[:_MOST_SENTENCES])
    if len(sentences) > _MOST_SENTENCES:
        summary += f"; {many(len(sentences) - _MOST_SENTENCES, 'more fault', 'more faults')}"
    return summary[:1].upper() + summary[1:]


def _sentence(fault: "WiringFault") -> str:
    text = _MEANING[fault.kind].format(**fault.model_dump())
    if fault.kind == "not_used" and fault.entry:
        text += f" ({fault.entry})"
    return text


def _remedy(faults: "list[WiringFault]", locations: "Locations") -> Remedy:
    steps = dict.fromkeys(_STEPS[fault.kind] for fault in faults)
    return Remedy(text=" ".join(steps), commands=[f"{locations.doctor} --select capture-wiring -v"])
