"""child_merges.py CLIENT STACK -e FILE...: a child of `run` that reads the environments as `openstack overcloud deploy` does.

CLIENT is `present`: the client as it is, which resolves links by their text (since 5.2.0, change I76c28f3959a42d02); or
`tripleo`: as it was up to TripleO's last release, when it made a path absolute and left links alone. expected.json is its
standard input.
"""

import json
import os
import sys
from urllib import parse, request

from heatclient.common import template_utils, utils

from documents import OSLO, PARAMETERS, passwords
from strict import difference

client, stack, *options = sys.argv[1:]
if client == "tripleo":
    utils.normalise_file_path_to_url = lambda path: (
        path if parse.urlparse(path).scheme else parse.urljoin("file:", request.pathname2url(os.path.abspath(path)))
    )
if options[::2] != ["-e"] * 6:
    sys.exit(f"{{env}} became {options}")
expected = json.load(sys.stdin)
must = dict(OSLO)
for output, (_, parameter) in PARAMETERS.items():
    must[parameter] = expected["outputs"][stack][output]
must |= passwords(expected)["parameter_defaults"]
_, merged = template_utils.process_multiple_environments_and_files(options[1::2])
if differs := difference(merged, {"parameter_defaults": must}, ordered=False):
    sys.exit(f"the client merges something else: {differs}")
print("merged")
