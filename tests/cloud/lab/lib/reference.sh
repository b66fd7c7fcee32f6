#!/usr/bin/env bash
# The documented five commands, as an operator types them; `lab` sets OS_* and PATH.
#   reference.sh DIR [STACK] [PLAN]
set -euo pipefail
mkdir -p "$1"
cd "$1"
STACK=${2:-standalone} PLAN=${3:-overcloud}
show() { openstack stack output show "$STACK" "$1" --format json | jq "{\"parameter_defaults\": {\"$2\": .output_value}}"; }
show EndpointMap EndpointMapOverride >endpoint-map.json
show AllNodesConfig AllNodesExtraMapData >all-nodes-extra-map-data.json
show GlobalConfig GlobalConfigExtraMapData >global-config-extra-map-data.json
show HostsEntry ExtraHostFileEntries >extra-host-file-entries.json
openstack object save "$PLAN" plan-environment.yaml
python -c "import yaml; data = yaml.safe_load(open('plan-environment.yaml').read()); print(yaml.dump(dict(parameter_defaults=data['passwords'])))" >passwords.yaml
