import sys

from platform_risk.cli import main

if __name__ == "__main__":
    sys.exit(main())
