"""One value of a bundle in a playbook, opened at the moment when a task asks for it. Ansible finds this file in `lookup_plugins/`
beside the playbook, or in a role."""

import json
import subprocess

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: dcn_vault
author: dcn-vault
short_description: a value of a dcn-vault bundle
description:
  - Runs C(dcn-vault get) on the host where Ansible runs, for each name. The bundle must be signed, and the newest that was seen here.
  - A value comes with its type. Jinja does not read what is in it.
options:
  _terms:
    description: Parameters, as NovaPassword, or paths below one, as C(dcn-vault get) takes them.
    required: true
  vault:
    description: The vault. Without it the nearest directory with dcn-vault.yaml above the current one.
    type: path
    vars: [{name: dcn_vault_directory}]
  identity:
    description: The file of the site's identity. Without it the usual places.
    type: path
    vars: [{name: dcn_vault_identity}]
notes:
  - From then on the value is Ansible's. Give each task that has it C(no_log), or it is shown, and logged on the host it runs on.
  - Turn C(pipelining) on, or Ansible writes a task's arguments to a file on that host while the task runs.
  - Each use is an opening of its own, with a line in the audit log. Neither C(set_fact) with C(cacheable) nor a file is a place for it.
"""

EXAMPLES = """
- ansible.builtin.uri:
    url: https://keystone.example:13000/v3/auth/tokens
    url_username: nova
    url_password: "{{ lookup('dcn_vault', 'NovaPassword') }}"
  no_log: true
"""

RETURN = """
_raw:
  description: The values, in the order of the names.
  type: list
  elements: raw
"""


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        command = ["dcn-vault", "--batch", "get", "--json"]
        for option, switch in (("vault", "-C"), ("identity", "-i")):
            if value := self.get_option(option):
                command += [switch, value]
        return [get([*command, "--", name]) for name in terms]


def get(command):
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        code, said = ended.returncode, ended.stderr.decode(errors="replace").strip()
    except OSError as error:
        code, said = 127, error.strerror
    # There is never a value in what it says: `no_log` hides the error of a task, but not these words
    if said:
        Display().warning(f"dcn-vault: {said}")
    if code != 0:
        raise AnsibleLookupError(f"dcn-vault has ended with {code}")
    return json.loads(ended.stdout)
