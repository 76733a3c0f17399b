"""``bench``: the short form of the checkout's benchmarks.

They are no part of the package: they want a checkout, pip, and a cache folder for the peers' environments.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from ..errors import StructgenError

CHECKOUT = Path(__file__).resolve().parents[2]


def bench(args: Namespace) -> int:
    """Run ``python -m benchmarks`` in the checkout that this package comes from."""
    if not (CHECKOUT / "benchmarks" / "__main__.py").exists():
        raise StructgenError(
            "the benchmarks are not installed with the package: clone the repository, and run "
            "`python3 -m benchmarks --small` there"
        )
    command = [sys.executable, "-m", "benchmarks", *([] if args.whole else ["--small"])]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
