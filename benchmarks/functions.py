"""Let the default model write Python under Python's grammar, and let ``ast.parse`` judge what it wrote.

    python -m benchmarks functions

Each text is one function: the start rule is the grammar's ``function``, so that a text is whole where a
statement ends, and after the function's last line nothing but its end can be written. Ten prompts are written
five times each, as a left-padded batch at temperature 0.8 from the whole of what is allowed (no ``top_k``),
with fixed seeds. A function may be as long as one likes, and so a text may run out of tokens before it is
whole; such texts are counted apart, and never as parsed. With ``--again`` another takes their place. Behind a
function there may be comments without end, or empty lines joined by backslashes, and a small model likes to
go on with these: ``--plain`` leaves both out of Python's grammar.

What a compiler knows beyond the grammar (``return`` outside a function, a name that is global too late) would
be told by ``compile``, and is not asked for.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
import warnings
from collections.abc import Sequence

import torch

from structgen import Grammar, Vocabulary
from structgen import compile as compile_grammar
from structgen.frontends.library import find_grammar
from structgen.generate.model import load_model
from structgen.transformers import GrammarLogitsProcessor

from .samples import sampling

TASKS = (
    "returns the larger of two numbers",
    "counts the vowels in a string",
    "reverses a list",
    "tells whether a number is prime",
    "computes the nth Fibonacci number",
    "reads a file and counts its lines",
    "merges two sorted lists",
    "sums the digits of an integer",
    "removes duplicates from a list",
    "converts Celsius to Fahrenheit",
)
PROMPT = "Write one short Python function that {task}. Answer with the code only, without a docstring."
TIMES = 5
PLAIN = """
%override _NEWLINE: /(\\n[ \\t]*)+/
%override JOINED: /\\f+/
"""


def parses(text: str) -> bool:
    """Python reads it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def text_of(vocabulary: Vocabulary, tokens: Sequence[int]) -> bytes:
    """What tokens write."""
    return b"".join(vocabulary.bytes_of(token) or b"" for token in tokens)


def functions(options: argparse.Namespace) -> int:
    """Write, judge, print; 1 if a whole text does not parse."""
    torch.set_num_threads(options.threads)
    loaded = load_model(options.model)
    tokenizer, model = loaded.tokenizer, loaded.model
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    vocabulary = Vocabulary.from_huggingface(
        tokenizer, vocab_size=loaded.vocab_size, stop_token_ids=loaded.stop_token_ids
    )
    path = find_grammar("python")
    source = path.read_text(encoding="utf-8") + (PLAIN if options.plain else "")
    compiled = compile_grammar(Grammar.from_lark(source, start="function", base_path=path.parent), vocabulary)
    stops = list(vocabulary.stop_token_ids)
    config = sampling(0.8, options.max_new_tokens, stops)
    parsed = failed = ran_out = tokens = 0
    start = time.perf_counter()
    for i, task in enumerate(TASKS):
        chat = [{"role": "user", "content": PROMPT.format(task=task)}]
        wanted = TIMES
        for attempt in range(1 + options.again):
            if not wanted:
                break
            inputs = tokenizer.apply_chat_template(
                [chat] * wanted,
                add_generation_prompt=True,
                padding=True,
                return_tensors="pt",
                return_dict=True,
            ).to(model.device)
            torch.manual_seed(options.seed + i + len(TASKS) * attempt)
            processor = GrammarLogitsProcessor(compiled, vocab_size=loaded.vocab_size)
            output = model.generate(**inputs, generation_config=config, logits_processor=[processor])
            for row in output[:, inputs["input_ids"].shape[1] :].tolist():
                end = next((at for at, token in enumerate(row) if token in stops), None)
                written = row if end is None else row[:end]
                tokens += len(written) + (end is not None)
                text = text_of(vocabulary, written).decode(errors="replace" if end is None else "strict")
                if options.show:
                    print(f"{'ran out:' if end is None else ''}\n{text}\n", file=sys.stderr, flush=True)
                if end is None:
                    ran_out += 1
                    continue
                wanted -= 1
                if parses(text):
                    parsed += 1
                else:
                    failed += 1
                    print(f"does not parse:\n{text}\n", file=sys.stderr, flush=True)
        print(f"{task}: {parsed} parsed, {failed} not, {ran_out} ran out", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - start
    print("| texts | parsed | not parsed | ran out | tokens | tokens/s |")
    print("|--:|--:|--:|--:|--:|--:|")
    total = parsed + failed + ran_out
    print(f"| {total} | {parsed} | {failed} | {ran_out} | {tokens} | {tokens / seconds:.1f} |")
    return 1 if failed else 0
