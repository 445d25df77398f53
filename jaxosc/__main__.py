"""``python -m jaxosc``, the same as the command ``jaxosc``."""

import sys

from jaxosc.cli import main

if __name__ == "__main__":
    sys.exit(main())
