"""Torch on one thread, and the tests that need the default model.

Two torch threads that spin on a shared core take ten times as long as one.

Tests marked ``model`` run when the default model lies in the cache, or when ``STRUCTGEN_TEST_MODEL=1`` asks
to fetch it. Otherwise they are skipped, and the summary says so.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch

from structgen.generate.model import LoadedModel, default_model_path, load_model

_HOW = "set STRUCTGEN_TEST_MODEL=1 to fetch it (93 MB)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "model: needs the default language model")


def _wanted() -> bool:
    return default_model_path().is_dir() or os.environ.get("STRUCTGEN_TEST_MODEL") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _wanted():
        for item in items:
            if item.get_closest_marker("model"):
                item.add_marker(pytest.mark.skip(reason=f"the default model is not in the cache: {_HOW}"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "the default model is not in the cache" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(
            f"NOT RUN: {len(skipped)} tests with the real model, which is not in the cache; {_HOW}",
            yellow=True,
        )


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def default_model() -> LoadedModel:
    return load_model(None, device="cpu")
