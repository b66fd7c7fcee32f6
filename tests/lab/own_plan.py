"""own_plan.py create NAME EXPECTED | rotate NAME PARAMETER... | check NAME FILE | delete NAME: a plan and a stack of a test's own.

They begin as the lab's plan and its good stack. `rotate` gives parameters other values, in the plan and wherever the stack's outputs
have the old ones, as a rotation and a deployment would. `check` holds a file of passwords against the plan.
"""

import json
import os
import secrets
import sys
import time

import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3

FILES = ("plan-environment.yaml", "user-environment.yaml", "environments/ssl/enable-tls.yaml")
variables = {key: os.environ[f"OS_{key.upper()}"] for key in ("auth_url", "username", "password", "project_name")}
CLOUD = session.Session(auth=v3.Password(user_domain_name="Default", project_domain_name="Default", **variables))
SWIFT = {"service_type": "object-store", "interface": os.environ["OS_INTERFACE"]}
HEAT = {"service_type": "orchestration", "interface": os.environ["OS_INTERFACE"]}


def read_plan(name):
    return yaml.safe_load(CLOUD.get(f"/{name}/{FILES[0]}", endpoint_filter=SWIFT).content)


def write_plan(name, plan):
    CLOUD.put(f"/{name}/{FILES[0]}", data=yaml.safe_dump(plan).encode(), endpoint_filter=SWIFT)


def stacks(name):
    return CLOUD.get(f"/stacks?name={name}", endpoint_filter=HEAT).json()["stacks"]


def deploy(name, outputs):
    template = {"heat_template_version": "2018-08-31", "outputs": {key: {"value": value} for key, value in outputs.items()}}
    body = {"template": template, "timeout_mins": 5}
    if there := stacks(name):
        CLOUD.put(f"/stacks/{name}/{there[0]['id']}", json=body, endpoint_filter=HEAT)
        done = "UPDATE_COMPLETE"
    else:
        CLOUD.post("/stacks", json=body | {"stack_name": name}, endpoint_filter=HEAT)
        done = "CREATE_COMPLETE"
    end = time.monotonic() + 60
    while stacks(name)[0]["stack_status"] != done:
        if time.monotonic() > end:
            sys.exit(f"Heat did not finish the stack within 60 s: {stacks(name)[0]['stack_status']}")
        time.sleep(0.1)


def create(name, expected):
    CLOUD.put(f"/{name}", endpoint_filter=SWIFT)
    for path in FILES:
        CLOUD.put(f"/{name}/{path}", data=CLOUD.get(f"/overcloud/{path}", endpoint_filter=SWIFT).content, endpoint_filter=SWIFT)
    write_plan(name, read_plan(name) | {"name": name})
    with open(expected, encoding="utf-8") as file:
        deploy(name, json.load(file)["outputs"]["standalone"])


def another(value):
    if isinstance(value, dict):
        return {key: another(inner) for key, inner in value.items()}
    return secrets.token_hex(16)


def rotate(name, *parameters):
    plan = read_plan(name)
    there = stacks(name)[0]["id"]
    shown = CLOUD.get(f"/stacks/{name}/{there}", endpoint_filter=HEAT).json()["stack"]["outputs"]
    outputs = json.dumps({output["output_key"]: output["output_value"] for output in shown})
    for parameter in parameters:
        places = [plan[place] for place in ("passwords", "parameter_defaults") if parameter in plan[place]]
        if not places:
            sys.exit(f"the plan has no {parameter}")
        new = another(places[0][parameter])
        for place in places:
            if isinstance(place[parameter], str):
                outputs = outputs.replace(json.dumps(place[parameter])[1:-1], new)
            place[parameter] = new
    write_plan(name, plan)
    deploy(name, json.loads(outputs))


def check(name, path):
    plan = read_plan(name)
    expected = plan["passwords"] | plan["parameter_defaults"]
    with open(path, encoding="utf-8") as file:
        found = yaml.safe_load(file)["parameter_defaults"]
    if differs := [key for key, value in found.items() if expected.get(key) != value]:
        sys.exit(f"not as the plan has it: {differs}")
    if missing := plan["passwords"].keys() - found.keys():
        sys.exit(f"missing: {sorted(missing)}")


def delete(name):
    for stack in stacks(name):
        CLOUD.delete(f"/stacks/{name}/{stack['id']}", endpoint_filter=HEAT)
    for path in FILES:
        CLOUD.delete(f"/{name}/{path}", endpoint_filter=SWIFT, raise_exc=False)
    CLOUD.delete(f"/{name}", endpoint_filter=SWIFT, raise_exc=False)


{"create": create, "rotate": rotate, "check": check, "delete": delete}[sys.argv[1]](*sys.argv[2:])
