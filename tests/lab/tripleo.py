"""What TripleO's own client makes of the lab: its functions, unchanged, and nothing of ours in between.

tripleo.py save STACK DIR                       the outputs and the environment of a stack, as a deployment by Zed saves them
tripleo.py export STACK DIR CONFIG_DOWNLOAD OUT  `overcloud export`: from the working directory DIR (20.0.0), or from Heat (16.5.0)
tripleo.py names                                 the passwords that it knows, as JSON
tripleo.py passwords EXPECTED OUT               `STACK-passwords.yaml`, with the plan's passwords
tripleo.py ceph STACKS CLIENT CONFIG_DOWNLOAD OUT  `overcloud export ceph`
"""

import json
import logging
import os
import sys
from inspect import signature

import yaml
from heatclient import client
from keystoneauth1 import session
from keystoneauth1.identity import v3
from tripleo_common.constants import PASSWORD_PARAMETER_NAMES
from tripleoclient import export, utils

logging.disable(logging.CRITICAL)


def heat():
    variables = {key: os.environ[f"OS_{key.upper()}"] for key in ("auth_url", "username", "password", "project_name")}
    auth = v3.Password(user_domain_name="Default", project_domain_name="Default", **variables)
    return client.Client("1", session=session.Session(auth=auth), interface=os.environ["OS_INTERFACE"])


def main(command, *rest):
    if command == "save":
        stack, directory = rest
        utils.save_stack(heat().stacks.get(stack), directory)
        return
    if command == "names":
        print(json.dumps(PASSWORD_PARAMETER_NAMES))
        return
    if command == "passwords":
        expected, out = rest
        with open(expected, encoding="utf-8") as file:
            data = {"parameter_defaults": json.load(file)["passwords"]}
    elif command == "ceph":
        stacks, user, config_download, out = rest
        clusters = [export.export_ceph(stack, user, config_download) for stack in stacks.split(",")]
        data = {"parameter_defaults": {"CephExternalMultiConfig": clusters}}
    else:
        stack, directory, config_download, out = rest
        reads_files = "working_dir" in signature(export.export_overcloud).parameters
        source = directory if reads_files else heat()
        data = export.export_overcloud(source, stack, True, False, config_download)
    # As the command itself does, mode and all
    with open(out, "w") as file:
        yaml.safe_dump(data, file, default_flow_style=False)


main(*sys.argv[1:])
