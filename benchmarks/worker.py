"""The process that measures one engine: ``python -m benchmarks.worker ENGINE TOKENIZER WORDS MEMORY
[STRUCTGEN]``.

It runs in the engine's environment. Cases come as lines of JSON on stdin, and for each one line of JSON goes
back to stdout; before the first, one that says the engine is ready. Whatever the engine prints goes to
stderr. MEMORY is a bound of the process's address space in bytes (0: none). STRUCTGEN is a folder whose
``structgen`` is to be taken instead of this checkout's.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Any

from .cases import Case
from .engines import create, engines
from .measure import visit
from .words import Words

WARM_UP = Case(
    "warm-up",
    "json_schema",
    '{"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}, "b": {"type": "array",'
    ' "items": {"type": "number"}}}, "required": ["a"], "additionalProperties": false}',
)


def memory(key: str) -> int:
    """Bytes that the system counts for this process under ``key``; 0 where it does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":")), 0)


def limit_memory(size: int) -> None:
    """Bound the address space, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main(name: str, tokenizer: str, words: str, size: str, structgen: str = "") -> None:
    """Answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if structgen:
        sys.path.insert(0, structgen)
    if int(size):
        limit_memory(int(size))

    def say(what: Any) -> None:
        answers.write(json.dumps(what, separators=(",", ":")) + "\n")
        answers.flush()

    engine = engines()[name]
    adapter = create(engine, tokenizer, Words(Path(words)))
    visit(adapter, WARM_UP)  # what an engine imports on first use is not charged to the first case
    version = importlib.metadata.version(engine.package)
    say({"settings": adapter.settings, "version": version, "loaded": memory("VmRSS")})
    for line in sys.stdin:
        say(visit(adapter, Case(**json.loads(line))) | {"peak": memory("VmHWM")})


if __name__ == "__main__":
    main(*sys.argv[1:])
