"""The files of a bundle, in clear, and what must be in them by the lab's expected.json."""

import json

import yaml

PARAMETERS = {
    "EndpointMap": ("endpoint-map.json", "EndpointMapOverride"),
    "AllNodesConfig": ("all-nodes-extra-map-data.json", "AllNodesExtraMapData"),
    "GlobalConfig": ("global-config-extra-map-data.json", "GlobalConfigExtraMapData"),
    "HostsEntry": ("extra-host-file-entries.json", "ExtraHostFileEntries"),
}
# The files of outputs that no secret is in, so that they are kept in clear
PLAIN = ("EndpointMap", "AllNodesConfig", "HostsEntry")
OSLO = {
    "ComputeExtraConfig": {
        "oslo_messaging_notify_use_ssl": False,
        "oslo_messaging_rpc_use_ssl": False,
    }
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file) if path.endswith(".json") else yaml.load(file, yaml.CSafeLoader)


def wrapped(outputs, output):
    """What the file of an output must hold."""
    return {"parameter_defaults": {PARAMETERS[output][1]: outputs[output]}}


def passwords(expected):
    """What passwords.yaml must hold: the plan's passwords, what users set instead, what they alone have set."""
    return {"parameter_defaults": expected["effective"] | expected["only_in_parameter_defaults"]}
