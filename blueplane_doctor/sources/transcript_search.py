"""Lines of transcripts that are looked for by their uuids."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.transcript_files import TranscriptFile, transcript_files
from blueplane_doctor.sources.transcripts import READ_SECONDS, Progress, Reading, TranscriptLine


class FoundLine(NamedTuple):
    """A line that was looked for by its uuid."""

    file: TranscriptFile
    line: TranscriptLine


def find_lines(projects: Path, sessions: Mapping[str, str], deadline: Deadline) -> dict[str, FoundLine]:
    """The lines with these uuids in all transcripts on disk; each uuid with its session, empty where that is not known.

    A resumed session repeats lines: the one of that session counts, else the one of the newest file.
    It ends after READ_SECONDS of processor time: what was not found by then may be there all the same.
    """
    wanted = set(sessions)
    texts = [uuid.encode() for uuid in wanted]
    lines: dict[str, FoundLine] = {}
    if not wanted:
        return lines
    # Of the thread, not of the clock: on a busy machine the same search has to find the same.
    until = time.thread_time() + READ_SECONDS
    files = transcript_files(projects, 0, deadline).files
    for file in sorted(files, key=lambda file: file.modified_ns, reverse=True):
        with suppress(FileUnreadable):
            for line in Reading(file, Progress(), {}, deadline).lines(until, texts):
                if line.uuid not in wanted:
                    continue
                session = sessions[line.uuid]
                is_its_own = not session or session == (file.session or line.session)
                if is_its_own:
                    wanted.remove(line.uuid)
                if is_its_own or line.uuid not in lines:
                    lines[line.uuid] = FoundLine(file, line)
        if not wanted or deadline.passed:
            break
    return lines
