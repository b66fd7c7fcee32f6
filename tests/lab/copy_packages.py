"""copy_packages.py DIR MODULE...: copies what these modules import, with the packages' metadata and TripleO's data, to where another
user can read it."""

import importlib
import os
import shutil
import sys
import sysconfig

site, target = sysconfig.get_path("purelib"), sys.argv[1]
for module in sys.argv[2:]:
    importlib.import_module(module)
paths = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
used = {os.path.relpath(path, site).split(os.sep)[0] for path in paths if path.startswith(site + os.sep)}
used |= {name for name in os.listdir(site) if name.endswith(".dist-info")}
for name in used:
    path = os.path.join(site, name)
    (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, os.path.join(target, name))
data = os.path.join(sys.prefix, "share", "tripleo-common")
if os.path.isdir(data):
    shutil.copytree(data, os.path.join(target, "share", "tripleo-common"))
