"""child_deploys.py STACK WORKING_DIR SETTINGS -e FILE...: a child of `run` that is TripleO's own client, up to the moment when it would ask Heat.

All that handles the environment files is the client's code, in the client's order: the checks before, the merging, the copies in
the working directory. Ours are a tree of templates with nothing in it, and a stand-in for Heat that keeps what it is given.

SETTINGS is what is in export-settings.yaml, as JSON; expected.json is the standard input. It prints the modes of the copies that the
client makes, and who has merged how much.
"""

import json
import logging
import os
import sys
import warnings

warnings.simplefilter("ignore")

# Where the client looks for its data, when its packages are a copy
if os.path.isdir(os.path.join(os.environ.get("PYTHONPATH", "/nowhere"), "share")):
    sys.prefix = os.environ["PYTHONPATH"]

import safe_import  # before the client
from documents import OSLO, PARAMETERS, passwords
from strict import difference
from tripleoclient import utils
from tripleoclient.v1 import overcloud_deploy as deploy

stack, working_dir, settings, *options = sys.argv[1:]
expected = json.load(sys.stdin)
must = passwords(expected)["parameter_defaults"] | OSLO | json.loads(settings)
must |= {parameter: expected["outputs"][stack][output] for output, (_, parameter) in PARAMETERS.items()}


class Words(logging.Handler):
    """What the client logs."""

    def emit(self, record):
        said.append(record.getMessage())


said, given = [], []
logging.getLogger().addHandler(Words())
logging.getLogger().setLevel(logging.INFO)


def write(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


templates = f"{working_dir}/usr-share/tripleo-heat-templates"
write(f"{templates}/overcloud.yaml", "heat_template_version: wallaby\n")
write(f"{templates}/overcloud-resource-registry-puppet.yaml", "parameter_defaults: {NovaPassword: of the templates}\n")
write(f"{templates}/tools/process-templates.py")
write(f"{working_dir}/tripleo-{stack}-roles-data.yaml", "[{name: Compute, CountDefault: 1, ServicesDefault: []}]\n")
write(f"{working_dir}/tripleo-{stack}-network-data.yaml", "[]\n")

command = deploy.DeployOvercloud(None, None)
command.working_dir = working_dir
words = ["--stack", stack, "--templates", templates, "--disable-container-prepare", *options]
arguments = command.get_parser("openstack overcloud deploy").parse_args(words)
if len(arguments.environment_files) < len(PARAMETERS) + 2:
    sys.exit(f"{{env}} became {options}")
is_zed = hasattr(utils, "duplicate_param_check")
# It looks itself up in /etc/hosts
setattr(utils if is_zed else command, "get_undercloud_host_entry" if is_zed else "_get_undercloud_host_entry", lambda: "192.0.2.1 here")
# The stand-in for Heat
setattr(command, "_try_overcloud_deploy_with_compat_yaml", lambda *rest, **_: given.extend(rest))

(deploy._validate_args if is_zed else command._validate_args)(arguments)
utils.check_deprecated_service_is_enabled(arguments.environment_files)
roots = command.create_template_dirs(arguments)
if is_zed:
    files = command.create_env_files(arguments, *roots)
    command.deploy_tripleo_heat_templates(arguments, *roots, files)
else:
    files = command.create_env_files(None, arguments, *roots)
    command.deploy_tripleo_heat_templates(None, arguments, *roots, files)

merged = next(each["parameter_defaults"] for each in given if isinstance(each, dict) and "parameter_defaults" in each)
if merged["RootStackName"] != stack:
    sys.exit("the client did not do its own part")
if differs := difference({name: merged.get(name) for name in must}, must, ordered=False):
    sys.exit(f"the client merges something else: {differs}")
if any(secret in words for secret in expected["secrets"] for words in said):
    sys.exit("the client has logged a secret: is a parameter in two files?")
for directory, _, names in os.walk(f"{roots[0]}/user-environments"):
    for name in names:
        path = os.path.join(directory, name)
        print(f"{os.stat(path).st_mode & 0o777:o} {os.path.relpath(path, working_dir)}")
print(f"{len(must)} parameters, by {'zed' if is_zed else 'wallaby'}")
