"""The process that lets a model write: ``python -m benchmarks.writer ENGINE MODEL TASK``.

It runs in the engine's environment. TASK is JSON: a schema, the ids of a prompt, batch sizes, and how many
tokens to write. For each batch size one line of JSON goes to stdout. The engine's own logits processor is
used as its documentation says.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

Make = Callable[[Any, Any, str], Callable[[], dict[str, Any]]]  # arguments of `generate`, new for each call


def unconstrained(model: Any, tokenizer: Any, schema: str) -> Callable[[], dict[str, Any]]:
    """As many tokens, and nothing in their way."""
    return dict


def with_structgen(model: Any, tokenizer: Any, schema: str) -> Callable[[], dict[str, Any]]:
    """`GrammarLogitsProcessor`."""
    import structgen
    from structgen.transformers import GrammarLogitsProcessor

    width = model.config.vocab_size
    vocabulary = structgen.Vocabulary.from_huggingface(tokenizer, vocab_size=width)
    compiled = structgen.compile(structgen.Grammar.from_json_schema(schema), vocabulary)
    return lambda: {"logits_processor": [GrammarLogitsProcessor(compiled, vocab_size=width)]}


def with_xgrammar(model: Any, tokenizer: Any, schema: str) -> Callable[[], dict[str, Any]]:
    """Its ``contrib.hf.LogitsProcessor``, which serves one call."""
    import xgrammar
    from xgrammar.contrib.hf import LogitsProcessor

    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=model.config.vocab_size)
    compiled = xgrammar.GrammarCompiler(info, max_threads=1).compile_json_schema(
        schema, any_whitespace=True, strict_mode=False
    )
    return lambda: {"logits_processor": [LogitsProcessor(compiled)]}


def with_lm_format_enforcer(model: Any, tokenizer: Any, schema: str) -> Callable[[], dict[str, Any]]:
    """Its function for ``prefix_allowed_tokens_fn``."""
    from lmformatenforcer import JsonSchemaParser
    from lmformatenforcer.integrations.transformers import (
        build_token_enforcer_tokenizer_data,
        build_transformers_prefix_allowed_tokens_fn,
    )
    from transformers.generation.logits_process import PrefixConstrainedLogitsProcessor

    data = build_token_enforcer_tokenizer_data(tokenizer)

    def make() -> dict[str, Any]:
        allowed = build_transformers_prefix_allowed_tokens_fn(data, JsonSchemaParser(json.loads(schema)))
        return {"logits_processor": [PrefixConstrainedLogitsProcessor(allowed, 1)]}

    return make


WAYS: dict[str, Make] = {
    "unconstrained": unconstrained,
    "structgen": with_structgen,
    "xgrammar-compliant": with_xgrammar,
    "lm-format-enforcer": with_lm_format_enforcer,
}


class Timed(transformers.LogitsProcessor):  # type: ignore[misc]
    """Another processor, with the time of each of its calls."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.calls: list[float] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        begin = time.perf_counter()
        found = self.inner(input_ids, scores)
        self.calls.append(time.perf_counter() - begin)
        return found


def write(
    model: Any, tokenizer: Any, make: Callable[[], dict[str, Any]], task: dict[str, Any], batch: int
) -> Any:
    """One batch, greedy: seconds in all, seconds of each call of the processor, and the ids."""
    prompt = torch.tensor([task["prompt"]] * batch)
    arguments = make()
    timed = [Timed(p) for p in arguments.get("logits_processor", ())]
    if timed:
        arguments["logits_processor"] = timed
    begin = time.perf_counter()
    with torch.inference_mode():
        output = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            **arguments,
            max_new_tokens=task["tokens"],
            min_new_tokens=None if timed else task["tokens"],
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id,
        )
    took = time.perf_counter() - begin
    ids = output[0, prompt.shape[1] :].tolist()
    return {"batch": batch, "seconds": took, "calls": [c for t in timed for c in t.calls], "ids": ids}


def main(engine: str, folder: str, task_: str) -> None:
    """One line for each batch size; the first call of all is for warming up."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    task = json.loads(task_)
    # Not by the name of its class, which older versions of transformers do not know.
    file = f"{folder}/tokenizer.json"
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=file, eos_token=task["eos"])
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    model.eval()
    begin = time.perf_counter()
    make = WAYS[engine](model, tokenizer, task["schema"])
    ready = time.perf_counter() - begin
    write(model, tokenizer, make, task | {"tokens": 4}, 1)
    for batch in task["batches"]:
        print(
            json.dumps({"ready": ready} | write(model, tokenizer, make, task, batch)),
            file=answers,
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
