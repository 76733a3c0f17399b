"""The other side of `benchmarks.worker`: start an engine's process, ask it, and outlive it.

A process that crashes, or that does not answer in time, is a result; the next question starts another one.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .cases import Case
from .engines import Engine
from .environments import cache

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Ended(Exception):
    """The process died or had to be killed; the message says how."""


class Process:
    """One engine's process, started when it is first asked."""

    def __init__(
        self,
        engine: Engine,
        python: str,
        tokenizer: Path,
        words: Path,
        *,
        time_limit: float,
        memory_limit: int,
        structgen: str = "",
        profile: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.engine = engine
        self.said: dict[str, Any] = {}  # settings, version, memory after loading
        self.spent = 0.0  # seconds that it was waited for, its first start (kernels, a tokenizer) apart
        self._time_limit = time_limit
        self._log = cache() / "logs" / f"{engine.name}.log"
        self._profiled = profile is not None and not engine.requires
        self._command = [python, "-m"]
        if profile is not None and self._profiled:
            profile.mkdir(parents=True, exist_ok=True)
            file = profile / f"{engine.name}.memray"
            self._command += ["memray", "run", "--quiet", "--force", "--output", str(file), "-m"]
        self._command += ["benchmarks.worker", engine.name, str(tokenizer), str(words)]
        self._command += [str(memory_limit), structgen]
        alone = dict.fromkeys(ONE_THREAD, "1") | {"TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(ROOT)}
        self._environment = os.environ | alone | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._hopeless = ""  # why it did not start; it is not tried again

    def start(self) -> None:
        """Until the engine is ready; raises `Ended`."""
        if self._process is not None:
            return
        self._log.parent.mkdir(exist_ok=True)
        self._pending = b""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
            )
        first = not self.said
        self.said = self._answer(self.engine.starting)
        if first:
            self.spent = 0.0

    def ask(self, case: Case) -> dict[str, Any]:
        """What `measure.visit` found, or an ``error`` that tells the end of the process."""
        if self._hopeless:
            return {"error": self._hopeless}
        try:
            self.start()
        except Ended as ended:
            self._hopeless = f"does not start: {ended}"
            return {"error": self._hopeless}
        assert self._process is not None
        assert self._process.stdin is not None
        question = json.dumps(
            {**vars(case), "valid": [*map(list, case.valid)], "invalid": [*map(list, case.invalid)]}
        )
        try:
            self._process.stdin.write(question.encode() + b"\n")
            self._process.stdin.flush()
            return self._answer(self._time_limit)
        except BrokenPipeError:
            return {"error": f"died ({self._end()})"}
        except Ended as ended:
            return {"error": str(ended)}

    def _answer(self, limit: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        begin = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not self._pending.endswith(b"\n"):
                left = limit - (time.monotonic() - begin)
                if left <= 0 or not selector.select(left):
                    self.stop()
                    self.spent += time.monotonic() - begin
                    raise Ended(f"no answer in {limit:g} s")
                part = os.read(self._process.stdout.fileno(), 1 << 20)
                if not part:
                    raise Ended(f"died ({self._end()})")
                self._pending += part
        self.spent += time.monotonic() - begin
        line, self._pending = self._pending, b""
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> str:
        """How the process ended, with the last line it wrote."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.poll()
        self.stop()
        if code is None:
            return "it closed its output"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        written = self._log.read_text("utf-8", "replace").strip().splitlines()
        return f"{how}: {written[-1][:200]}" if written else how

    def stop(self) -> None:
        """End the process; one whose memory is profiled ends by itself, and writes its profile."""
        if self._process is not None:
            if self._profiled and self._process.stdin is not None:
                with suppress(subprocess.TimeoutExpired, BrokenPipeError):
                    self._process.stdin.close()
                    self._process.wait(60)
            self._process.kill()
            self._process.wait()
            self._process = None
