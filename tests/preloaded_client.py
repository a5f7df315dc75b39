"""Asks a process of preloaded.py for one run of the command, and ends as that run ends.

It is started with -I -S and imports next to nothing: its own start would cost what it is there to save.
"""

import _socket
import marshal
import os
import signal
import sys

LENGTH_BYTES = 8


def main() -> None:
    """Usage: preloaded_client.py SOCKET ARGUMENT …."""
    path, *arguments = sys.argv[1:]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(path)
    content = marshal.dumps((arguments, dict(os.environ), os.getcwd()))
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    handed_over = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
    connection.sendmsg([len(content).to_bytes(LENGTH_BYTES, "big")], handed_over)
    connection.sendall(content)
    answer = connection.recv(16)
    if not answer:
        os._exit(125)
    code = int(answer)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
