"""``python -m divergences``."""

import sys

from ._cli import main

sys.exit(main())
