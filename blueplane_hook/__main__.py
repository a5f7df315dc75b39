"""`blueplane-hook`: answer the editor, read the event, send it or keep it; always exit code 0.

    blueplane-hook NAME [--server URL] [--home DIR]

Standard library alone, few imports. Once the event is there, all is over within a second, whatever the server does.
"""

import os
import signal
import sys
import time

from blueplane_hook import events, intake, spool

_LIMIT_SECONDS = 0.9
"""For sending; with the start of the interpreter about one."""
_DEFAULT_SERVER = "http://127.0.0.1:8787"
DEFAULT_HOME = "~/.blueplane"
_SERVER_VARIABLE = "BLUEPLANE_SERVER_URL"
"""The variable by which Blueplane's own hooks get the address of another server."""


def main() -> None:
    """Run with `sys.argv`; nothing that happens may reach the editor as an error."""
    # Ctrl-C in a terminal reaches the editor's hooks too; the event is kept all the same, within the time limits.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:  # noqa: SIM105  contextlib would be one more import
        _run(sys.argv[1:])
    except Exception:
        pass
    sys.exit(0)


def _run(arguments: list[str]) -> None:
    name, server, home = _parsed(arguments)
    answer = events.ANSWERS.get(name)
    if answer:
        try:  # noqa: SIM105
            os.write(1, answer)
        except OSError:  # the editor has closed its end
            pass
    raw = intake.read_input()
    # From here on: the time that the editor took to write the event is not the server's.
    deadline = time.monotonic() + _LIMIT_SECONDS
    queue = spool.Spool(home)
    if not raw:
        queue.count("unreadable")
        return
    envelope = events.envelope(name, raw, home)
    if envelope is None:
        from blueplane_hook import kept  # seldom needed, and the editor waits

        if not kept.keep_whole(home, raw):
            queue.count("dropped")
        return
    address = events.address_of(server)
    outcome = events.post(address, envelope, deadline)
    if outcome == events.FAILED:
        queue.add(envelope)
        return
    if outcome == events.REFUSED:
        queue.count("refused")
    queue.deliver(lambda event: events.post(address, event, deadline), deadline)


def _parsed(arguments: list[str]) -> tuple[str, str, str]:
    """Hook name, server, home. argparse alone would cost as much time as everything else here."""
    options = {"--server": os.environ.get(_SERVER_VARIABLE) or _DEFAULT_SERVER, "--home": DEFAULT_HOME}
    names = []
    rest = iter(arguments)
    for word in rest:
        if word in options:
            options[word] = next(rest, options[word])
        else:
            names.append(word)
    return names[0] if names else "", options["--server"], os.path.expanduser(options["--home"] or DEFAULT_HOME)


if __name__ == "__main__":
    main()
