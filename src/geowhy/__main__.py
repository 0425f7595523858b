"""``python -m geowhy`` is the command ``geowhy``."""

import sys

from geowhy.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
