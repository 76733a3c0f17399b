"""`GrammarLogitsProcessor`: let a grammar decide in Hugging Face's ``model.generate``.

``generate`` gives a logits processor the ids written so far and the next logits, and nothing else: no
start, no end, no name for a row. Beam search reorders rows, prompt lookup and assisted decoding ask about
drafts and then take them back, the assistant's own ``generate`` calls the same processor, and the last
token of a row is never shown. So this processor remembers by content and never by the order of calls:

* A *node* is one text begun: a grammar, a prompt and the tokens after it. Nodes form a tree under each
  prompt, and any of them can be asked again: a fork and a rollback of a matcher cost next to nothing.
* In every mode a row that goes on is a row seen before plus exactly one token, which the grammar allows
  unless the row was in the call just before. Any other row is a prompt, and a new text begins behind it.
  The one thing this cannot see: a *new* prompt that happens to read like such a row is taken for its
  continuation. Call `reset` before such a call, or use a new processor.
* Rows are compared with those of the previous call, all at once; what that does not find (a beam moved,
  a draft was dropped) is compared with each of them, and then looked up from the prompt on.

Three rules keep a row alive. A row whose text is complete (a stop token was written) may write any stop
token, and its padding is ignored. A row that holds a token which the grammar does not allow (another
processor forced it) may only stop. A row whose legal tokens were all set to minus infinity by another
processor gets them back, all equally likely. The last two warn, once. The tensor returned is new: prompt
lookup hands in one buffer for several positions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import LogitsProcessor

from .torch import allowed_tokens, apply_token_bitmask_

if TYPE_CHECKING:
    from .compiled import CompiledGrammar

__all__ = ["GrammarLogitsProcessor", "GrammarWarning", "Step"]

_KEPT_GENERATIONS = 2


class GrammarWarning(UserWarning):
    """Another processor or a forced token got in the grammar's way; the text may not belong to it."""


@dataclass(frozen=True)
class Step:
    """What `GrammarLogitsProcessor` knew about one row before its next token was chosen.

    row : index in the batch
    written : tokens written after the prompt
    allowed : how many tokens were allowed
    matcher : the row's matcher, to be asked and not to be moved, until the processor is called again; None
        when the row had ended or left the grammar
    """

    row: int
    written: int
    allowed: int
    matcher: Any | None


class _Node:
    """A text begun, and the texts one token longer that were asked for.

    A matcher is handed down to the first child (`heir`), so a text that only grows has one matcher and no
    fork. A node that is asked again after that takes a fork of its heir's, and rolls it back.
    """

    __slots__ = ("_heir", "_matcher", "children", "depth", "ended", "left")

    def __init__(self, matcher: Any | None, depth: int, ended: bool = False, left: bool = False) -> None:
        """Begin with no continuation."""
        self._matcher = matcher
        self._heir: _Node | None = None
        self.depth = depth  # Tokens after the prompt.
        self.ended = ended  # A stop token was written.
        self.left = left  # A token was written that the grammar does not allow.
        self.children: dict[int, _Node] = {}

    @property
    def live(self) -> bool:
        """The grammar says what may come next."""
        return not (self.ended or self.left)

    @property
    def matcher(self) -> Any:
        """The matcher of a live node."""
        if self._matcher is None:
            heir, steps = self, 0
            while heir._matcher is None:
                assert heir._heir is not None
                heir, steps = heir._heir, steps + 1
            self._matcher = heir._matcher.fork()
            self._matcher.rollback(steps)
        return self._matcher

    def allows(self, token: int) -> bool:
        """Whether ``token`` may come next; anything may follow a stop token."""
        if not self.live:
            return self.ended
        allowed: bool = self.matcher.accept_token(token)
        if allowed:
            self.matcher.rollback(1)
        return allowed

    def child(self, token: int, stop_token_ids: frozenset[int]) -> _Node:
        """The node of this text plus ``token``."""
        node = self.children.get(token)
        if node is None:
            node = self.children[token] = self._grow(token, stop_token_ids)
        return node

    def _grow(self, token: int, stop_token_ids: frozenset[int]) -> _Node:
        if not self.live:
            return _Node(None, self.depth + 1, ended=self.ended, left=self.left)
        matcher = self.matcher
        if not matcher.accept_token(token):
            return _Node(None, self.depth + 1, left=True)
        node = _Node(matcher, self.depth + 1, ended=token in stop_token_ids)
        self._matcher, self._heir = None, node
        return node


@dataclass
class _Prompt:
    """The root of one prompt's texts, and the last generation that used it."""

    root: _Node
    used: int


class GrammarLogitsProcessor(LogitsProcessor):  # type: ignore[misc]
    """Mask the logits of ``model.generate`` so that only texts of a grammar are written.

    ::

        model.generate(**inputs, logits_processor=[GrammarLogitsProcessor(compiled)])

    Works in greedy and sampled decoding, left-padded batches, ``num_return_sequences``, beam search, prompt
    lookup, with an assistant, in ``pipeline``, with a static cache, and again for the next call. Continuous
    batching (``generate_batch``) does not say which row belongs to which text and is declined.

    Parameters
    ----------
    compiled : one compiled grammar for all rows, or a sequence with one for each row of the input batch
        (each is used for all of the sequences or beams of its row). All must share one vocabulary.
    vocab_size : width of the model's logits (``model.config.vocab_size``). Logits of another width are then
        passed through: with an assistant of another vocabulary transformers asks about *its* tokens as well,
        which are not ours to forbid. None masks logits of every width, which is as safe, and makes the drafts
        of such an assistant useless; columns beyond the vocabulary are masked, stop tokens beyond the
        width are ignored.
    on_step : called with a `Step` for each row of each call, before the token is chosen. Drafts are steps
        as well.

    Notes
    -----
    The vocabulary's stop tokens must be among those that ``generate`` stops at (``eos_token_id``, which
    may be a list), or a text that has ended goes on to ``max_new_tokens`` with stop tokens.

    Not thread-safe: use one processor for each thread; compiled grammars can be shared.
    """

    supports_continuous_batching = False

    def __init__(
        self,
        compiled: CompiledGrammar | Sequence[CompiledGrammar],
        *,
        vocab_size: int | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        """Check that the grammars fit together; matchers are made when rows come."""
        self._grammars = list(compiled) if isinstance(compiled, Sequence) else [compiled]
        if not self._grammars:
            raise ValueError("one compiled grammar for all rows, or one for each row: the sequence is empty")
        vocabulary = self._grammars[0].vocabulary
        if any(g.vocabulary.fingerprint != vocabulary.fingerprint for g in self._grammars):
            raise ValueError("the compiled grammars of one batch must share one vocabulary")
        self._words = (vocabulary.size + 31) // 32
        self._stops = frozenset(int(i) for i in vocabulary.stop_token_ids)
        self._vocab_size = vocab_size
        self._on_step = on_step
        self._stop_row = _bits(self._stops, self._words)
        self._full_row = _bits(range(vocabulary.size), self._words)
        self._warned: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Forget every prompt and text: the next rows begin new texts, whatever they look like."""
        self._prompts: dict[tuple[int, bytes], _Prompt] = {}
        self._generation = 0
        self._last_ids: torch.Tensor | None = None
        self._last_nodes: list[_Node] = []

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Mask ``scores`` (rows, width) for the rows of ``input_ids`` (rows, length); a new tensor."""
        width = scores.shape[-1]
        if self._vocab_size is not None and width != self._vocab_size:
            return scores
        nodes = self._locate(input_ids)
        bitmask = np.empty((len(nodes), self._words), dtype=np.int32)
        for row, node in enumerate(nodes):
            if not node.live:
                bitmask[row] = self._stop_row
            elif not node.matcher.fill_next_token_bitmask(bitmask, row):
                bitmask[row] = self._full_row
        if self._on_step is not None:
            self._report(nodes, bitmask, width)
        masked = apply_token_bitmask_(scores.clone(), bitmask)
        self._revive(masked, scores, bitmask, nodes)
        return masked  # type: ignore[return-value]

    def _report(self, nodes: list[_Node], bitmask: np.ndarray, width: int) -> None:
        """Tell the listener about each row."""
        counts = allowed_tokens(bitmask, min(width, self._grammars[0].vocabulary.size)).sum(dim=1).tolist()
        for row, (node, count) in enumerate(zip(nodes, counts, strict=True)):
            self._on_step(Step(row, node.depth, count, node.matcher if node.live else None))  # type: ignore[misc]

    def _revive(
        self, masked: torch.Tensor, scores: torch.Tensor, bitmask: np.ndarray, nodes: list[_Node]
    ) -> None:
        """Give a row that has no token left its legal ones back, equally likely; warn of what went wrong."""
        left = [row for row, node in enumerate(nodes) if node.left]
        if left and any(_was_written(scores, row) for row in left):
            self._warn(
                "left",
                f"row {left[0]} holds a token that the grammar does not allow (another processor forced it, "
                "or the text was not written under this grammar): the row is ended with a stop token",
            )
        best = masked.amax(dim=-1)
        dead = torch.nonzero(best == -torch.inf).flatten().tolist()
        if not dead:
            return
        legal = allowed_tokens(bitmask[dead], masked.shape[-1], masked.device)
        for row, allowed in zip(dead, legal, strict=True):
            count = int(allowed.sum())
            if count == 0:  # No stop token lies within this width: these are not our model's logits.
                masked[row] = scores[row]
                continue
            masked[row, allowed] = -float(np.log(count))
            if nodes[row].live and _was_written(scores, row):
                self._warn(
                    "taken",
                    f"another logits processor forbade all {count} tokens that the grammar allows in row "
                    f"{row}: they were allowed again",
                )

    def _warn(self, kind: str, message: str) -> None:
        """Warn once for each kind in the life of this processor."""
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(message, GrammarWarning, stacklevel=4)

    def _locate(self, input_ids: torch.Tensor) -> list[_Node]:
        """The node of each row."""
        rows, length = input_ids.shape
        copies, rest = divmod(rows, len(self._grammars))
        if rest:
            raise ValueError(
                f"{len(self._grammars)} compiled grammars for {rows} rows: give one for all, "
                "or one for each row of the batch"
            )
        last = self._last_ids
        nodes: list[_Node | None] = [None] * rows
        if last is not None and last.shape == (rows, length - 1) and last.device == input_ids.device:
            same = (input_ids[:, :-1] == last).all(dim=1)
            for row, (kept, token) in enumerate(torch.stack((same.long(), input_ids[:, -1]), dim=1).tolist()):
                if kept:
                    nodes[row] = self._last_nodes[row].child(token, self._stops)
        missing = [row for row, node in enumerate(nodes) if node is None]
        if missing:
            ids = input_ids.cpu().numpy()
            known = last.cpu().numpy() if last is not None and last.shape[1] == length - 1 else None
            fresh: list[int] = []
            for row in missing:
                grammar = row // copies
                found = self._moved(ids[row], grammar, copies, known) or self._walk(ids[row], grammar)
                nodes[row] = found
                if found is None:
                    fresh.append(row)
            if fresh:
                self._begin(nodes, ids, fresh, copies)
        self._last_ids = input_ids.clone()
        self._last_nodes = nodes  # type: ignore[assignment]
        return self._last_nodes

    def _moved(self, row: np.ndarray, grammar: int, copies: int, known: np.ndarray | None) -> _Node | None:
        """The node of a row that continues another row of the previous call, as beams do."""
        if known is None:
            return None
        first = grammar * copies
        block = known[first : first + copies]
        hits = np.flatnonzero((block == row[:-1]).all(axis=1))
        return self._last_nodes[first + int(hits[0])].child(int(row[-1]), self._stops) if hits.size else None

    def _walk(self, row: np.ndarray, grammar: int) -> _Node | None:
        """The node of a row that was seen before, or of such a row and one allowed token; None for a prompt.

        Of several prompts that begin the row the longest counts: it is the one that came last.
        """
        lengths = sorted({len(key) // row.itemsize for _, key in self._prompts}, reverse=True)
        for length in lengths:
            prompt = self._prompts.get((grammar, row[:length].tobytes())) if length <= len(row) else None
            if prompt is None:
                continue
            node = prompt.root
            tokens = row[length:].tolist()
            for i, token in enumerate(tokens):
                following = node.children.get(token)
                if following is None:
                    if i < len(tokens) - 1 or not node.allows(token):
                        break
                    following = node.child(token, self._stops)
                node = following
            else:
                prompt.used = self._generation
                return node
        return None

    def _begin(self, nodes: list[_Node | None], ids: np.ndarray, fresh: list[int], copies: int) -> None:
        """Start a text behind each new prompt, and forget prompts that have long been out of use."""
        self._generation += 1
        for row in fresh:
            grammar = row // copies
            key = (grammar, ids[row].tobytes())
            prompt = self._prompts.get(key)  # Rows of one call may share a prompt.
            if prompt is None:
                root = _Node(self._grammars[grammar].matcher(), 0)
                prompt = self._prompts[key] = _Prompt(root, self._generation)
            nodes[row] = prompt.root
        oldest = self._generation - _KEPT_GENERATIONS
        for key in [key for key, prompt in self._prompts.items() if prompt.used < oldest]:
            del self._prompts[key]


def _bits(ids: Iterable[int], words: int) -> np.ndarray:
    """A bitmask row, int32 (words,), with the bits of ``ids`` set."""
    flags = np.zeros(words * 32, dtype=np.uint8)
    flags[list(ids)] = 1
    return np.packbits(flags, bitorder="little").view(np.int32)


def _was_written(scores: torch.Tensor, row: int) -> bool:
    """Whether a row's last token was really written, as far as its scores tell.

    A draft that an assistant made out of its own mind may break the grammar, and so may a beam that fills
    up the list with probability zero; neither reaches the output. The scores of a draft are a slice of a
    tensor with more positions; those of a beam are log-probabilities, whose exponentials sum to one.
    """
    if scores.untyped_storage().nbytes() > scores.numel() * scores.element_size():
        return False
    return abs(float(torch.logsumexp(scores[row].float(), dim=-1))) > 1e-3
