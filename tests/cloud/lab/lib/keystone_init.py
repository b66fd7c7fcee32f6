"""keystone-manage as a module (the console script is the same call)."""

import sys
from keystone.cmd.manage import main

sys.exit(main())
