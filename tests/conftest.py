"""What holds for every test.

There is one thread, said before anything can load torch or a BLAS: the models here are so small that more
of them only wait for each other. Nothing is kept between runs, so that what is tested is what is built;
tests of the cache have a folder of their own. Examples of property tests are the same in every run, so
that a failure means a change; and none has a deadline, since the first call of a kernel compiles it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["STRUCTGEN_CACHE_BYTES"] = "0"

import hypothesis

hypothesis.settings.register_profile("structgen", derandomize=True, deadline=None)
hypothesis.settings.load_profile("structgen")


def pytest_report_header() -> list[str]:
    """What this run may skip, said before it starts."""
    named = {name: os.environ.get(name, "not set") for name in ("STRUCTGEN_TOKENIZERS", "STRUCTGEN_SHARED")}
    return [f"{name}: {value}" for name, value in named.items()]
