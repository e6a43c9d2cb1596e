"""`python -m platform_risk.local`: see up.py."""

import sys

from platform_risk.local.up import main

if __name__ == "__main__":
    sys.exit(main())
