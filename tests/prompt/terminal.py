"""Runs a program at a terminal of its own, answers its question, and says what the terminal looked like.

Reads {"program": […], "question": …, "ignored": [numbers], "keys": …, "signal": number or null, "continued": true where a shell
has had the terminal meanwhile} and prints {"shown",
"echo_at_question", "echo_after", "status"} as JSON. The keys are sent once the question is there, and never before. The
signals that the program is started to ignore, as by nohup or `trap '' INT`, come before the keys.
"""

import json
import os
import pty
import select
import signal
import sys
import termios


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        return b""


def status(process):
    with open(f"/proc/{process}/status") as lines:
        return dict(line.split(":", 1) for line in lines)


def sends(number, process):
    """Sends it, and waits until the process has taken it, or has not, and sleeps again."""
    os.kill(process, number)
    while True:
        now = status(process)
        is_pending = int(now["ShdPnd"], 16) >> number - 1 & 1
        if not is_pending and now["State"].split()[0] in "SZ":
            return
        os.sched_yield()


plan = json.load(sys.stdin)
question = plan["question"].encode()
child, terminal = pty.fork()
if child == 0:
    for number in plan["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    os.execvp(plan["program"][0], plan["program"])
shown = b""
while question not in shown:
    part = read(terminal)
    if not part:
        break
    shown += part
if question in shown:
    for number in plan["ignored"]:
        sends(number, child)
if question in shown and plan.get("continued"):
    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    os.killpg(child, signal.SIGCONT)
    while shown.count(question) < 2 and select.select([terminal], [], [], 60)[0]:
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
_, ended = os.waitpid(child, 0)
after = echoes(terminal)
code = os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else 128 + os.WTERMSIG(ended)
print(json.dumps({"shown": shown.decode(), "echo_at_question": at_question, "echo_after": after, "status": code}))
