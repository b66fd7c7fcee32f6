"""check_passwords.py EXPECTED FILE: FILE holds the plan's passwords value by value, for both of PyYAML's readers."""

import sys

import yaml

from documents import load, passwords
from strict import difference

expected = passwords(load(sys.argv[1]))
edges = [name for name in expected["parameter_defaults"] if name.startswith("Edge")]
if len(edges) < 40:
    sys.exit(f"the plan has only {len(edges)} of the strings that YAML readers get wrong")
for loader in (yaml.SafeLoader, yaml.CSafeLoader):
    with open(sys.argv[2], "rb") as file:
        found = yaml.load(file, loader)
    if differs := difference(found, expected, ordered=False):
        sys.exit(f"{loader.__name__}: {differs}")
