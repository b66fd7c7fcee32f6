"""Early Wallaby's client imports a module that later releases of tripleo-common, and the only ones that there are, no longer have."""

import sys
import types

import git

module = types.ModuleType("tripleo_common.utils.safe_import")
module.git = git
sys.modules.setdefault(module.__name__, module)
