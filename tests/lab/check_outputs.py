"""check_outputs.py EXPECTED STACK DIR OUTPUT...: the files of these outputs in DIR hold exactly the stack's values."""

import sys

from documents import PARAMETERS, load, wrapped
from strict import difference

expected, stack, directory, *outputs = sys.argv[1:]
values = load(expected)["outputs"][stack]
for output in outputs:
    found = load(f"{directory}/{PARAMETERS[output][0]}")
    if differs := difference(found, wrapped(values, output)):
        sys.exit(f"{output}{differs}")
