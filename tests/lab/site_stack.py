"""site_stack.py template EXPECTED OUT | check EXPECTED STACK NAME SETTINGS | delete NAME: a stack at a site, which has a project of its own.

`template` writes site-stack.yaml with a parameter for each of the centre's passwords, and an output for each parameter. `check` holds
the outputs of the stack NAME against what the centre's STACK and plan hold: every parameter, types too. SETTINGS is what is in
export-settings.yaml, as JSON; what was not delivered must have the template's default.
"""

import json
import os
import sys

import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3

from documents import OSLO, PARAMETERS, load, passwords
from strict import difference

TEMPLATE = f"{os.path.dirname(os.path.abspath(__file__))}/site-stack.yaml"
TYPES = {str: "string", int: "number", dict: "json", list: "json"}
DEFAULTS = {"AddVipsToEtcHosts": True, "AuthCloudName": "default"}


def template(expected, out):
    site = load(TEMPLATE)
    for name, value in passwords(load(expected))["parameter_defaults"].items():
        # No default: a stack without one of them is refused
        site["parameters"][name] = {"type": TYPES[type(value)], "hidden": True}
    for name in site["parameters"]:
        site["outputs"][f"Given{name}"] = {"value": {"get_param": name}}
    everything = site["resources"]["Everything"]["properties"]
    everything["value"] = {name: {"get_param": name} for name in site["parameters"]}
    with open(out, "w", encoding="utf-8") as file:
        yaml.safe_dump(site, file)


def connect():
    variables = {key: os.environ[f"OS_{key.upper()}"] for key in ("auth_url", "username", "password", "project_name")}
    heat = session.Session(auth=v3.Password(user_domain_name="Default", project_domain_name="Default", **variables))
    return heat, {"service_type": "orchestration", "interface": os.environ["OS_INTERFACE"]}


def check(expected, stack, name, settings):
    expected = load(expected)
    must = passwords(expected)["parameter_defaults"] | OSLO | DEFAULTS | json.loads(settings)
    must |= {parameter: expected["outputs"][stack][output] for output, (_, parameter) in PARAMETERS.items()}
    if len(must) < 120:
        sys.exit(f"the centre has only {len(must)} parameters to look for")
    heat, where = connect()
    found = heat.get(f"/stacks/{name}/{there(heat, where, name)[0]}", endpoint_filter=where).json()["stack"]
    outputs = {output["output_key"]: output["output_value"] for output in found["outputs"]}
    if found["stack_status"] != "CREATE_COMPLETE" or len(outputs["Own"]) != 16:
        sys.exit(f"the stack is {found['stack_status']}")
    given = {key.removeprefix("Given"): value for key, value in outputs.items() if key.startswith("Given")}
    for what, values in (("parameter ", given), ("through a resource ", outputs["Everything"])):
        if differs := difference(values, must, ordered=False):
            sys.exit(f"{what}{differs}")
    print(f"{len(must)} parameters")


def there(heat, where, name):
    return [stack["id"] for stack in heat.get(f"/stacks?name={name}", endpoint_filter=where).json()["stacks"]]


def delete(name):
    heat, where = connect()
    for stack in there(heat, where, name):
        heat.delete(f"/stacks/{name}/{stack}", endpoint_filter=where)


{"template": template, "check": check, "delete": delete}[sys.argv[1]](*sys.argv[2:])
