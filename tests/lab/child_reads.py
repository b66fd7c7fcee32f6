"""child_reads.py STACK: a child of `run`. It reads the files by their names and compares; expected.json is its standard input.

It prints the directory, then waits for a line on a pipe, so that the test can look around meanwhile.
"""

import json
import os
import signal
import sys

import yaml

from documents import OSLO, PARAMETERS, load, passwords, wrapped
from strict import difference

directory, expected_passwords, waits_at = os.environ["DCN_VAULT_DIR"], sys.argv[2], sys.argv[3]
expected = json.load(sys.stdin)
must = {PARAMETERS[output][0]: wrapped(expected["outputs"][sys.argv[1]], output) for output in PARAMETERS}
must |= {"oslo-messaging.yaml": {"parameter_defaults": OSLO}, "passwords.yaml": passwords(expected)}
names = set(os.listdir(directory)) - {"manifest.json", "manifest.json.sig"}
if names != set(must):
    sys.exit(f"the files are {sorted(names)}")
if expected_passwords != f"{directory}/passwords.yaml":
    sys.exit("{passwords} is not passwords.yaml in {dir}")
for name, value in must.items():
    path = os.path.join(directory, name)
    if not os.path.isfile(path):
        sys.exit(f"{name}: os.path.isfile says no")
    # Each is read twice, and to both ends at once: a pipe, or a shared file offset, would not stand it
    with open(path, "rb") as first, open(path, "rb") as second:
        if first.read() != second.read() or not first.tell():
            sys.exit(f"{name}: a second reader does not see the same")
    if differs := difference(load(path), value, ordered=False):
        sys.exit(f"{name}: {differs}")
with open(f"{directory}/passwords.yaml", "rb") as file:
    if differs := difference(yaml.load(file, yaml.SafeLoader), must["passwords.yaml"], ordered=False):
        sys.exit(f"SafeLoader: {differs}")
signal.alarm(120)  # should the test not look after us
print(directory, flush=True)
with open(waits_at, encoding="utf-8") as pipe:
    pipe.readline()
