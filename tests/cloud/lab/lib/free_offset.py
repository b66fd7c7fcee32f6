"""free_offset.py FIRST PORT...: the smallest number that, added to each port, leaves all of them free on 127.0.0.1."""

import socket
import sys


def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


first, *ports = map(int, sys.argv[1:])
for offset in (first, *range(0, 32768 - max(ports), 10)):
    if all(free(p + offset) for p in ports):
        print(offset)
        break
else:
    sys.exit("every offset has a taken port")
