"""Runs a program at a terminal of its own and does what a person would do, step by step.

Reads {"program": […], "environment": {…}, "steps": [[verb, …], …]} and prints all that was shown. ["expect", TEXT] waits until TEXT is
shown after what was expected before, ["lines"] waits until the terminal takes whole lines, as it does for all but a
shell that is being typed to, ["send", KEYS] types, and ["size", ROWS, COLUMNS] makes the window another.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

PATIENCE = 30  # seconds: then the test fails instead of waiting for ever


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def read(terminal):
    """What is shown next; nothing at the end, or when nothing comes."""
    if not select.select([terminal], [], [], PATIENCE)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        return b""


plan = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    os.execvpe(plan["program"][0], plan["program"], plan["environment"])
shown, start = b"", 0
for verb, *rest in plan["steps"]:
    if verb == "send":
        os.write(terminal, rest[0].encode())
    elif verb == "lines":
        while not termios.tcgetattr(terminal)[3] & termios.ICANON:
            os.sched_yield()
    elif verb == "size":
        set_size(terminal, *rest)
    else:
        wanted = rest[0].encode()
        while (found := shown.find(wanted, start)) < 0:
            part = read(terminal)
            if not part:
                sys.exit(f"`{rest[0]}` was not shown:\n{shown.decode(errors='replace')}")
            shown += part
        start = found + len(wanted)
# Whoever is left at the terminal hears that it is gone
os.close(terminal)
os.waitpid(child, 0)
