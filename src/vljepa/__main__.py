"""``python -m vljepa``, and with several processes: ``torchrun --nproc-per-node 2 -m vljepa train nano``."""

import sys

from vljepa.cli import main

if __name__ == "__main__":
    sys.exit(main())
