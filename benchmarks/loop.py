"""In a real loop: ``python -m benchmarks loop``. What a logits processor costs in ``model.generate``.

The default model writes under a schema that asks for more records than there are tokens, so every row of a
batch goes on to the last step; unconstrained it writes as many. Engines take turns by batch size, in
processes of their own, one thread each. Time is of the whole call and of every call of the processor, which
is what an engine adds to a step.

A token is *forced* when the text before it leaves no choice but one canonical way on; a host that writes such
tokens without asking the model saves their steps. The share is counted along the text that the model wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from statistics import mean, median
from typing import Any

from .engines import engines
from .environments import interpreter
from .processes import ONE_THREAD, ROOT
from .recordings import FOLDER, Record, machine, write_recording
from .report import number, table

SCHEMA = {
    "type": "array",
    "minItems": 100,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 30},
            "occupation": {"enum": ["baker", "sailor", "teacher", "gardener", "smith"]},
            "age": {"type": "integer", "minimum": 16, "maximum": 99},
            "born": {"type": "string", "format": "date"},
        },
        "required": ["name", "occupation", "age", "born"],
        "additionalProperties": False,
    },
}
PROMPT = "List the people of a harbour town, as a JSON array of objects with name, occupation, age and born."
LIMIT = 900  # seconds for one engine


def ask(name: str, python: str, model: str, task: dict[str, Any]) -> list[Record]:
    """What one engine's process found; an error is a result."""
    command = [python, "-m", "benchmarks.writer", name, model, json.dumps(task)]
    environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return [{"engine": name, "error": f"no answer in {LIMIT} s"}]
    found = [{"engine": name} | json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        found.append({"engine": name, "error": f"exit code {done.returncode}: {' '.join(last)[:200]}"})
    return found


def forced(ids: list[int], model: str) -> tuple[int, int]:
    """(tokens that were forced, all tokens) of a text of the schema, a text without its end."""
    import structgen

    vocabulary = structgen.Vocabulary.from_huggingface(f"{model}/tokenizer.json")
    matcher = structgen.compile(structgen.Grammar.from_json_schema(SCHEMA), vocabulary).matcher()
    count = at = 0
    while at < len(ids):
        run = matcher.forced_tokens()
        written = 0
        while written < len(run) and at < len(ids) and run[written] == ids[at]:
            assert matcher.accept_token(ids[at])
            written += 1
            at += 1
        count += written
        if written == 0:
            assert matcher.accept_token(ids[at])
            at += 1
    return count, len(ids)


def loop(options: argparse.Namespace) -> int:
    """The command ``loop``."""
    from transformers import AutoTokenizer

    from structgen.generate.model import default_model_folder

    def say(what: object) -> None:
        print(what, file=sys.stderr, flush=True)

    model = str(default_model_folder())
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    chat = [{"role": "user", "content": PROMPT}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
    task = {
        "schema": json.dumps(SCHEMA),
        "prompt": prompt,
        "eos": tokenizer.eos_token,
        "tokens": options.tokens,
    }
    records: list[Record] = []
    pythons = {
        n: interpreter(engines()[n], say) if n in engines() else sys.executable
        for n in options.engines.split(",")
    }
    for batch in map(int, options.batches.split(",")):
        for name, python in pythons.items():
            say(f"{name}, batch {batch}")
            records += ask(name, python, model, task | {"batches": [batch]})
    head = machine() | {"suite": "loop", "tokens": options.tokens, "model": "SmolLM2-135M-Instruct"}
    ours = next((r for r in records if r["engine"] == "structgen" and "ids" in r), None)
    if ours:
        head["forced"] = forced(ours["ids"], model)
    print(loop_report([head, *records]))
    if options.record:
        write_recording(FOLDER / options.record, [head, *records])
    return 0


def loop_report(recording: list[Record]) -> str:
    """The table of a recording of this kind."""
    head, *records = recording
    free = {r["batch"]: r["seconds"] for r in records if r["engine"] == "unconstrained" and "seconds" in r}
    rows = []
    for record in records:
        name = record["engine"]
        if "error" in record:
            rows.append([name, "–", record["error"], "", "", "", ""])
            continue
        batch, calls = record["batch"], record["calls"]
        steps = head["tokens"]
        rate = number(batch * steps / record["seconds"])
        plain = f"{record['seconds'] / free[batch]:.3f}" if batch in free else "–"
        added = [f"{number(1e6 * f(calls))}" for f in (mean, median, max)] if calls else ["–"] * 3
        rows.append([name, str(batch), rate, plain, *added])
    heads = ["", "batch", "tokens/s", "time ÷ unconstrained", "added a step, µs: mean", "p50", "max"]
    lines = [
        f"{head['model']}, {head['tokens']} tokens a row, greedy, one thread; {head['cpu']}, "
        f"{head['date'][:10]}.\n",
        table(heads, rows),
    ]
    if head.get("forced"):
        count, all_ = head["forced"]
        share = count / all_
        lines.append(
            f"\n{count} of {all_} tokens ({100 * share:.0f} %) were forced: a host that writes them "
            f"without asking the model\nneeds {100 * (1 - share):.0f} % of the steps."
        )
    return "\n".join(lines)
