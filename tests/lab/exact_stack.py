"""exact_stack.py create NAME [EXPECTED] | check NAME DIR | delete NAME: a stack of a test's own.

Its outputs are hard to pass on exactly; with EXPECTED they are the good stack's, and its environment has the passwords and what
users set, as a deployment by early Wallaby leaves them in Heat.
"""

import json
import os
import sys
import time

from keystoneauth1 import session
from keystoneauth1.identity import v3

from documents import PARAMETERS, load, passwords, wrapped
from strict import difference

HARD = {
    "b": 9007199254740993,
    "a": 123456789012345678901234567890,
    "float": 16.0,
    "small": 1e-07,
    "big": 1.5e300,
    "long": 0.1234567890123456,
    "negative": -0.5,
    "zero": 0,
    "number string": "0123456",
    "exponent string": "1e5",
    "json string": '{"a": 1.0}',
    "escapes": "\"\\/\b\f\n\r\t\u0001\u007f\u2028<>&'\U0001f511\u5bc6",
    "nested": [[], {}, "", None, True, False, [{"z": 1, "y": {"unicode \u00e9": 2}}]],
}
OUTPUTS = {
    "EndpointMap": {"KeystonePublic": HARD},
    "AllNodesConfig": dict(reversed(list(HARD.items()))),
    "GlobalConfig": {"port": 5672, **HARD},
    "HostsEntry": ["10.0.0.1 a", "10.0.0.2  b,c"],
}


def main(command, name, *rest):
    if command == "check":
        for output, (path, _) in PARAMETERS.items():
            if differs := difference(load(f"{rest[0]}/{path}"), wrapped(OUTPUTS, output)):
                sys.exit(f"{output}{differs}")
        return
    variables = {key: os.environ[f"OS_{key.upper()}"] for key in ("auth_url", "username", "password", "project_name")}
    heat = session.Session(auth=v3.Password(user_domain_name="Default", project_domain_name="Default", **variables))
    where = {"service_type": "orchestration", "interface": os.environ["OS_INTERFACE"]}
    if command == "create":
        shown, environment = OUTPUTS, {}
        if rest:
            with open(rest[0], encoding="utf-8") as file:
                expected = json.load(file)
            shown, environment = expected["outputs"]["standalone"], passwords(expected)
        template = {"heat_template_version": "2018-08-31", "outputs": {key: {"value": value} for key, value in shown.items()}}
        body = {"stack_name": name, "template": template, "environment": environment, "timeout_mins": 5}
        heat.post("/stacks", json=body, endpoint_filter=where)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = heat.get(f"/stacks?name={name}", endpoint_filter=where).json()["stacks"]
            if found[0]["stack_status"] == "CREATE_COMPLETE":
                return
            time.sleep(0.1)
        sys.exit("Heat did not finish the stack within 60 s")
    for stack in heat.get(f"/stacks?name={name}", endpoint_filter=where).json()["stacks"]:
        heat.delete(f"/stacks/{name}/{stack['id']}", endpoint_filter=where)


main(*sys.argv[1:])
