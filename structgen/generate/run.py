"""Let a loaded model write one text under a grammar, and hand the text out as it is written.

This is ``model.generate`` with a `GrammarLogitsProcessor` and a streamer, as any program would call it:
the command line shows what the library does and has no loop of its own. Text is decoded from the tokens'
exact bytes, so a character that several tokens spell goes out when it is whole, and nothing that was
written is ever taken back (a decoder over ids has to look at the whole text again for each token).
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig
from transformers.generation.streamers import BaseStreamer

from ..errors import ModelError
from ..transformers import GrammarLogitsProcessor, Step
from .model import LoadedModel

if TYPE_CHECKING:
    from ..compiled import CompiledGrammar
    from ..vocab import Vocabulary


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen.

    temperature : 0 takes the likeliest token; above 0 samples from the whole of what is allowed
    max_new_tokens : where to give up, the stop token counted
    seed : of torch's generators; None leaves them as they are
    """

    temperature: float = 0.0
    max_new_tokens: int = 512
    seed: int | None = None


@dataclass(frozen=True)
class Written:
    """One text: its ``tokens`` (the stop token counted), ``seconds``, and whether it is ``complete``."""

    text: str
    tokens: int
    seconds: float
    complete: bool


@dataclass(frozen=True)
class Traced:
    """One token of a trace: its id, the bytes it writes (None: a stop token), and the step before it."""

    token_id: int
    data: bytes | None
    step: Step


class TextDecoder:
    """Token ids to text, piece by piece.

    A space at the start stays, where the decoder of a sentencepiece tokenizer drops it: the grammar counted
    it, and without it the text might not belong to the language.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Begin a text."""
        self._vocabulary = vocabulary
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        """The characters that ``token_id`` completes; empty for a stop token or within a character."""
        return self._utf8.decode(self._vocabulary.bytes_of(token_id) or b"")

    def finish(self) -> str:
        """What is left: a replacement character where the text was cut within a character."""
        return self._utf8.decode(b"", final=True)


class _Streamer(BaseStreamer):  # type: ignore[misc]
    """Passes each new token on; the first thing that ``generate`` streams is the prompt."""

    def __init__(self, take: Callable[[int], None]) -> None:
        self._take = take
        self._prompt_is_past = False

    def put(self, value: torch.Tensor) -> None:
        if not self._prompt_is_past:
            self._prompt_is_past = True
            return
        for token in value.flatten().tolist():
            self._take(int(token))

    def end(self) -> None:
        """Nothing is held back."""


def encode_prompt(loaded: LoadedModel, prompt: str, raw: bool = False) -> tuple[dict[str, Any], bool]:
    """The inputs of ``generate`` for one prompt, and whether the chat template was applied.

    It is applied when the tokenizer has one, unless ``raw``. An empty raw prompt becomes the token that
    begins a text. Raises `ModelError` where there is no such token, or where the template cannot be applied.
    """
    tokenizer = loaded.tokenizer
    templated = bool(tokenizer.chat_template) and not raw
    if templated:
        try:
            inputs = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                enable_thinking=False,  # A grammar leaves no room for it; other templates ignore the word.
                return_tensors="pt",
                return_dict=True,
            )
        except Exception as error:  # Templates raise what they like.
            raise ModelError(
                f"the chat template of {loaded.name} cannot be applied ({error}); try --raw"
            ) from error
    else:
        inputs = tokenizer(prompt, return_tensors="pt")
    ids = inputs["input_ids"].to(torch.long)
    if ids.shape[1] == 0:
        begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        if begin is None:
            raise ModelError(f"{loaded.name} has no token to begin a text with: give a prompt")
        ids = torch.tensor([[begin]])
    ids = ids.to(loaded.model.device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, templated


def write(
    loaded: LoadedModel,
    compiled: CompiledGrammar,
    inputs: dict[str, Any],
    sampling: Sampling,
    out: Callable[[str], None],
    trace: Callable[[Traced], None] | None = None,
) -> Written:
    """Write one text.

    Parameters
    ----------
    inputs : of `encode_prompt`
    out : called with each piece of text as soon as it is there
    trace : called for each token after it was chosen
    """
    vocabulary = compiled.vocabulary
    decoder = TextDecoder(vocabulary)
    pieces: list[str] = []
    ids: list[int] = []
    steps: list[Step] = []

    def emit(piece: str) -> None:
        if piece:
            pieces.append(piece)
            out(piece)

    def take(token: int) -> None:
        ids.append(token)
        if trace is not None:
            stop = token in vocabulary.stop_token_ids
            trace(Traced(token, None if stop else vocabulary.bytes_of(token), steps[-1]))
        emit(decoder.push(token))

    def on_step(step: Step) -> None:
        steps[:] = [step]

    processor = GrammarLogitsProcessor(
        compiled, vocab_size=loaded.vocab_size, on_step=None if trace is None else on_step
    )
    if sampling.seed is not None:
        torch.manual_seed(sampling.seed)
    start = time.perf_counter()
    loaded.model.generate(
        **inputs,
        generation_config=_config(vocabulary, sampling),
        logits_processor=[processor],
        streamer=_Streamer(take),
    )
    seconds = time.perf_counter() - start
    emit(decoder.finish())
    complete = bool(ids) and ids[-1] in vocabulary.stop_token_ids
    return Written("".join(pieces), len(ids), seconds, complete)


def _config(vocabulary: Vocabulary, sampling: Sampling) -> GenerationConfig:
    """Stop at the vocabulary's stop tokens, and choose from all that is allowed (no ``top_k`` of 50)."""
    stops = list(vocabulary.stop_token_ids)
    chosen: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        chosen = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": 1.0}
    return GenerationConfig(
        max_new_tokens=sampling.max_new_tokens, eos_token_id=stops, pad_token_id=stops[0], **chosen
    )
