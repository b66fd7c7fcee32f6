"""Runs a program at a terminal of its own, answers its question, and says what the terminal looked like.

Reads {"program": […], "question": …, "keys": …, "signal": number or null} and prints {"shown", "echo_at_question",
"echo_after", "status"} as JSON. The keys are sent once the question is there, and never before.
"""

import json
import os
import pty
import sys
import termios


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        return b""


plan = json.load(sys.stdin)
question = plan["question"].encode()
child, terminal = pty.fork()
if child == 0:
    os.execvp(plan["program"][0], plan["program"])
shown = b""
while question not in shown:
    part = read(terminal)
    if not part:
        break
    shown += part
at_question = echoes(terminal)
if question in shown:
    if plan["keys"]:
        os.write(terminal, plan["keys"].encode())
    if plan["signal"]:
        os.kill(child, plan["signal"])
while part := read(terminal):
    shown += part
_, status = os.waitpid(child, 0)
after = echoes(terminal)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
print(json.dumps({"shown": shown.decode(), "echo_at_question": at_question, "echo_after": after, "status": code}))
