"""compare_export.py EXPORT DIR: what TripleO's own export has, against what the files of an opened bundle have together.

Prints JSON: names that are in only one of them, and names whose values differ, in type or in value.
"""

import json
import os
import sys

import yaml
from strict import difference

_, export, directory = sys.argv


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, yaml.CSafeLoader)["parameter_defaults"]


theirs, ours = load(export), {}
for name in sorted(os.listdir(directory)):
    # Opened for this; the documented file that turns TLS off is no part of an export
    if name.endswith((".json", ".yaml")) and name not in ("manifest.json", "oslo-messaging.yaml"):
        ours |= load(f"{directory}/{name}")
both = theirs.keys() & ours.keys()
found = {
    "only ours": sorted(ours.keys() - theirs.keys()),
    "only theirs": sorted(theirs.keys() - ours.keys()),
    "different": sorted(name for name in both if difference(ours[name], theirs[name], ordered=False)),
    "equal": len([name for name in both if not difference(ours[name], theirs[name], ordered=False)]),
}
print(json.dumps(found))
