"""check_reference.py EXPECTED OURS REFERENCE: what the documented five commands write is what the bundle holds.

jq 1.6, through which they send the outputs, reads every number as a double and writes 16.0 as 16. So the numbers of its files
are compared by value (Python's 16 == 16.0), and none of the stack's is so big that a double changes it. Types, and the order of
keys, are compared with what the client itself prints: REFERENCE/client.json is `openstack stack output show … AllNodesConfig`.
"""

import json
import sys

from documents import PARAMETERS, load
from strict import difference

_, expected_path, ours, reference = sys.argv
expected = load(expected_path)


def in_order(value):
    if isinstance(value, dict):
        return [[key, in_order(item)] for key, item in value.items()]
    return [in_order(item) for item in value] if isinstance(value, list) else value


for name, _ in PARAMETERS.values():
    if in_order(load(f"{ours}/{name}")) != in_order(load(f"{reference}/{name}")):
        sys.exit(f"{name} is not what the real clients wrote")
client = load(f"{reference}/client.json")["output_value"]
found = load(f"{ours}/all-nodes-extra-map-data.json")["parameter_defaults"]["AllNodesExtraMapData"]
if differs := difference(found, json.loads(client) if isinstance(client, str) else client):
    sys.exit(f"AllNodesConfig as the client prints it: {differs}")

# The documented commands take `passwords` alone: they lose what users have set. Ours has it, and is the same in all else
theirs = load(f"{reference}/passwords.yaml")["parameter_defaults"]
mine = load(f"{ours}/passwords.yaml")["parameter_defaults"]
added = set(mine) - set(theirs)
if added != set(expected["only_in_parameter_defaults"]) or set(theirs) - set(mine):
    sys.exit(f"other names than theirs: {sorted(added)}")
same = {name: value for name, value in theirs.items() if name not in expected["overlay"]}
if differs := difference({name: mine[name] for name in same}, same):
    sys.exit(f"passwords.yaml: {differs}")
