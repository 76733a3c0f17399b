"""Masks applied to logits, against the definition bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from structgen.torch import allowed_tokens, apply_token_bitmask_

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def packed(rows: int, size: int, seed: int = 0) -> np.ndarray:
    words = np.random.default_rng(seed).integers(-(2**31), 2**31, (rows, (size + 31) // 32))
    return words.astype(np.int32)


def by_definition(logits: torch.Tensor, bitmask: np.ndarray) -> torch.Tensor:
    expected = logits.clone()
    for row in range(expected.shape[0]):
        for i in range(expected.shape[1]):
            word = int(bitmask[row, i // 32]) if i < bitmask.shape[1] * 32 else 0
            if not (word >> (i % 32)) & 1:
                expected[row, i] = -torch.inf
    return expected


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 31, 32, 33, 300])
@pytest.mark.parametrize("extra", [-7, 0, 40])
def test_every_dtype_size_and_width(device: str, dtype: torch.dtype, size: int, extra: int) -> None:
    width = max(1, size + extra)
    logits = torch.randn(3, width, dtype=dtype)
    bitmask = packed(3, size)
    expected = by_definition(logits, bitmask)
    for mask in (bitmask, torch.from_numpy(bitmask)):
        given = logits.clone().to(device)
        assert apply_token_bitmask_(given, mask) is given
        assert torch.equal(given.cpu(), expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -0.0, 3.5])
def test_whatever_stood_there_is_kept_or_replaced(value: float) -> None:
    logits = torch.full((1, 64), value)
    apply_token_bitmask_(logits, np.array([[-1, 0]], np.int32))
    assert torch.equal(logits[0, :32].view(torch.int32), torch.full((32,), value).view(torch.int32))
    assert bool((logits[0, 32:] == -torch.inf).all())


def test_one_dimension() -> None:
    logits, bitmask = torch.randn(70), packed(1, 70)
    expected = by_definition(logits[None], bitmask)[0]
    for mask in (bitmask, bitmask[0]):
        assert torch.equal(apply_token_bitmask_(logits.clone(), mask), expected)


def test_strided_logits_are_masked_in_place() -> None:
    base = torch.randn(2, 3, 50)
    bitmask = packed(2, 50)
    expected = by_definition(base[:, 1, :], bitmask)
    untouched = base[:, [0, 2], :].clone()
    apply_token_bitmask_(base[:, 1, :], bitmask)
    assert torch.equal(base[:, 1, :], expected)
    assert torch.equal(base[:, [0, 2], :], untouched)


@pytest.mark.parametrize("indices", [[2, 0], torch.tensor([2, 0])])
def test_only_the_rows_named(indices: list[int] | torch.Tensor) -> None:
    logits, bitmask = torch.randn(4, 50), packed(3, 50)
    expected = logits.clone()
    expected[[0, 2]] = by_definition(logits[[0, 2]], bitmask[[0, 2]])
    assert torch.equal(apply_token_bitmask_(logits.clone(), bitmask, indices), expected)
    assert torch.equal(apply_token_bitmask_(logits.clone(), bitmask, []), logits)


def test_read_only_and_strided_bitmasks() -> None:
    bitmask = packed(3, 64)
    bitmask.setflags(write=False)
    logits = torch.randn(3, 64)
    expected = by_definition(logits, bitmask)
    assert torch.equal(apply_token_bitmask_(logits.clone(), bitmask), expected)
    wide = np.repeat(bitmask, 2, axis=0)[::2]
    assert torch.equal(apply_token_bitmask_(logits.clone(), wide), expected)


def test_allowed_tokens_beyond_the_bitmask() -> None:
    assert allowed_tokens(np.array([[-1]], np.int32), 40).tolist() == [[True] * 32 + [False] * 8]


@pytest.mark.parametrize(
    ("logits", "bitmask", "indices", "error", "message"),
    [
        (torch.zeros(2, 8, dtype=torch.int64), packed(2, 8), None, TypeError, "floating point"),
        (torch.zeros(2, 8), np.zeros((2, 1), np.int64), None, TypeError, "int32"),
        (torch.zeros(2, 8), torch.zeros((2, 1), dtype=torch.uint8), None, TypeError, "int32"),
        (torch.zeros(1, 2, 8), packed(2, 8), None, ValueError, "shape"),
        (torch.zeros(2, 8), np.zeros((1, 2, 1), np.int32), None, ValueError, "shape"),
        (torch.zeros(2, 8), packed(3, 8), None, ValueError, "3 bitmask rows for 2 rows"),
        (torch.zeros(2, 8), packed(2, 8), [2], IndexError, "row 2"),
        (torch.zeros(2, 8), packed(2, 8), [-1], IndexError, "row -1"),
    ],
)
def test_errors(
    logits: torch.Tensor, bitmask: np.ndarray, indices: list[int] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        apply_token_bitmask_(logits, bitmask, indices)
