"""``python -m aegis_async``: the same as the script ``aegis-async``."""

import sys

from aegis_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
