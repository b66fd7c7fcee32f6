"""check_barbican.py EXPECTED.json PASSWORDS.yaml: each parameter that Barbican gives has the value that was stored there."""

import base64
import json
import sys

import yaml

with open(sys.argv[1]) as f:
    payloads = json.load(f)["barbican_payloads"]
with open(sys.argv[2]) as f:
    found = yaml.safe_load(f)["parameter_defaults"]
payloads["Octets"] = base64.b64decode(payloads["Octets"])
wrong = [name for name, value in payloads.items() if found.get(name) != value]
if wrong:
    sys.exit(f"not as Barbican has them: {', '.join(wrong)}")
