"""A Swift server with swift.conf and rings in our own directory.

The daemons read /etc/swift/swift.conf and nothing else (only the command line
tools take --swift-dir); set_swift_dir() before main() is what those tools do.

    swift_server.py SWIFT_DIR account|container|object|proxy CONF -v
"""

import importlib
import sys

swift_dir, kind = sys.argv[1:3]
sys.argv[0:3] = [f"swift-{kind}-server"]
from swift.common import utils  # noqa: E402

utils.set_swift_dir(swift_dir)
module = {"object": "obj"}.get(kind, kind)
sys.exit(importlib.import_module(f"swift.{module}.server").main())
