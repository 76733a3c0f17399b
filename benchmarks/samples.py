"""Let the default model write under many schemas, and let a validator judge what it wrote.

    python -m benchmarks samples

A mask can be exact and the text still be wrong: between the two lie the tokenizer, the model's own
``generate``, the sampler and the front end's reading of the schema. So here nothing is simulated. Each
schema gets five prompts, written as one left-padded batch at temperature 1 from the whole of what is
allowed (no ``top_k``), with a fixed seed. A model of 135 million parameters wanders far at that
temperature, which is what makes it a good test.

Judged by jsonschema with the dialect that ``$schema`` names and with formats asserted. Two checks are added
that it lacks: ``date-time``, for which it needs a further package, and keys that occur twice.

A text that ran out of tokens is counted apart and never as valid: a schema may allow texts without end, and
``linked_list`` is one under which this model seldom takes the ``null`` that would end it. It comes on top of
twelve schemas in ``samples/``, one for each shape, and of eight real ones out of MaskBench, taken by id from
the folder that STRUCTGEN_SHARED names.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import torch
from transformers import GenerationConfig

from structgen import Grammar, Vocabulary
from structgen import compile as compile_grammar
from structgen.errors import StructgenError
from structgen.generate.model import LoadedModel, load_model
from structgen.transformers import GrammarLogitsProcessor

from .cases import maskbench_file

OURS = Path(__file__).parent / "samples"
MASKBENCH = (
    "Github_easy---o21114",  # arrays of enumerations
    "Github_easy---o43993",  # long enumerations, a date-time, bounded strings
    "Snowplow---sp_37_Normalized",  # every key optional
    "Github_easy---o37095",  # numbers in nested objects
    "Github_medium---o14412",  # references, draft 4
    "BFCL_parallel_multiple_192",  # alternatives with one key each; strings without a bound
    "Github_easy---o42525",  # patterns without a bound
    "JsonSchemaStore---postcssrc",  # oneOf, and objects with any content
)
PROMPTS = (
    "Write a short example of {what}, as JSON.",
    "Make up {what} for a bakery in Lisbon. Answer with JSON only.",
    "JSON, please: {what}. Something that could really exist, and brief.",
    "I test my program with unusual data. Give me a small JSON document: {what}.",
    "{what} — für ein Beispiel aus München, so kurz wie möglich, als JSON.",
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass
class Sample:
    """One text: complete or cut off, and what a validator has against it (None: nothing)."""

    text: str
    complete: bool
    problem: str | None


@dataclass
class Result:
    """The samples of one schema; ``refused`` says why there are none."""

    name: str
    schema: Any
    compile_s: float = 0.0
    write_s: float = 0.0
    tokens: int = 0
    samples: list[Sample] = field(default_factory=list)
    refused: str | None = None

    @property
    def valid(self) -> int:
        """Complete texts that the validator takes."""
        return sum(s.complete and s.problem is None for s in self.samples)

    @property
    def ran_out(self) -> int:
        """Texts without an end."""
        return sum(not s.complete for s in self.samples)


def schemas(only: Sequence[str] | None) -> Iterator[tuple[str, Any]]:
    """Names and schemas: ours, then MaskBench's in the order above."""
    for path in sorted(OURS.glob("*.json")):
        if only is None or path.stem in only:
            yield path.stem, json.loads(path.read_text(encoding="utf-8"))
    wanted = [name for name in MASKBENCH if only is None or name in only]
    if not wanted:
        return
    found: dict[str, Any] = {}
    with gzip.open(maskbench_file(), "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["id"] in wanted:
                found[entry["id"]] = entry["schema"]
    for name in wanted:
        yield name, found[name]


def subject(schema: dict[str, Any]) -> str:
    """What a schema is about, in words."""
    said = [str(schema[key]) for key in ("title", "description") if key in schema]
    keys = ", ".join(schema.get("properties", {}))
    return ". ".join(said + ([f"Its keys: {keys}"] if keys else [])) or "a call of one of several functions"


def problem_of(text: str, validator: Any) -> str | None:
    """What is wrong with a complete text; None if nothing."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except ValueError as error:
        return f"not JSON: {error}"
    errors = sorted(validator.iter_errors(value), key=lambda e: e.json_path)
    return f"{errors[0].json_path}: {errors[0].message}" if errors else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key occurs twice among {[key for key, _ in pairs]}")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def validator_for(schema: Any) -> Any:
    """A validator of the schema's dialect that asserts formats."""
    dialect = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    dialect.check_schema(schema)
    checker = jsonschema.FormatChecker(formats=())
    checker.checkers = {**dialect.FORMAT_CHECKER.checkers}
    checker.checks("date-time", raises=ValueError)(_is_date_time)
    return dialect(schema, format_checker=checker)


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    if not _DATE_TIME.fullmatch(value):
        return False
    # A leap second is allowed by RFC 3339 and unknown to datetime, which reads six digits of a fraction.
    plain = re.sub(r"\.\d+", "", value.upper()).replace(":60", ":59")
    return datetime.fromisoformat(plain) is not None


def sampling(temperature: float, max_new_tokens: int, stops: list[int]) -> GenerationConfig:
    """From the whole of what is allowed, with nothing cut off."""
    return GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        eos_token_id=stops,
        pad_token_id=stops[0],
    )


def write(
    loaded: LoadedModel, vocabulary: Vocabulary, name: str, schema: Any, options: argparse.Namespace
) -> Result:
    """Five texts under one schema."""
    result = Result(name, schema)
    validator = validator_for(schema)
    start = time.perf_counter()
    try:
        grammar = Grammar.from_json_schema(schema, whitespace=options.whitespace)
        compiled = compile_grammar(grammar, vocabulary)
    except StructgenError as error:
        result.refused = str(error)
        return result
    result.compile_s = time.perf_counter() - start
    stops = list(vocabulary.stop_token_ids)
    what = subject(schema)
    inputs = loaded.tokenizer.apply_chat_template(
        [[{"role": "user", "content": prompt.format(what=what)}] for prompt in PROMPTS],
        add_generation_prompt=True,
        padding=True,
        return_tensors="pt",
        return_dict=True,
    ).to(loaded.model.device)
    config = sampling(1.0, options.max_new_tokens, stops)
    # By its name, so that a schema alone is written as it is among all.
    torch.manual_seed(options.seed + zlib.crc32(name.encode()))
    start = time.perf_counter()
    output = loaded.model.generate(
        **inputs,
        generation_config=config,
        logits_processor=[GrammarLogitsProcessor(compiled, vocab_size=loaded.vocab_size)],
    )
    result.write_s = time.perf_counter() - start
    for row in output[:, inputs["input_ids"].shape[1] :].tolist():
        end = next((i for i, token in enumerate(row) if token in stops), None)
        written = row if end is None else row[:end]
        result.tokens += len(written) + (end is not None)
        data = b"".join(vocabulary.bytes_of(token) or b"" for token in written)
        text = data.decode("utf-8", "strict" if end is not None else "replace")
        problem = None if end is None else problem_of(text, validator)
        result.samples.append(Sample(text, end is not None, problem))
    return result


def table(results: Sequence[Result]) -> str:
    """The results in Markdown."""
    lines = [
        "| schema | outputs | valid | invalid | ran out | tokens | tokens/s | compile, s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]

    def line(name: str, counts: Sequence[int], tokens: int, seconds: float, compile_s: float) -> str:
        rate = f"{tokens / seconds:.1f}" if seconds else "-"
        return f"| {name} | {' | '.join(map(str, counts))} | {tokens} | {rate} | {compile_s:.2f} |"

    sums = [0, 0, 0, 0]
    for r in results:
        done = len(r.samples)
        counts = [done, r.valid, done - r.valid - r.ran_out, r.ran_out]
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
        lines.append(line(r.name, counts, r.tokens, r.write_s, r.compile_s))
    tokens, seconds = sum(r.tokens for r in results), sum(r.write_s for r in results)
    lines.append(line(f"all {len(results)}", sums, tokens, seconds, sum(r.compile_s for r in results)))
    return "\n".join(lines)


def samples(options: argparse.Namespace) -> int:
    """Write, judge, print; 1 if a complete text is invalid or a schema was refused."""
    torch.set_num_threads(options.threads)
    loaded = load_model(options.model)
    loaded.tokenizer.padding_side = "left"
    if loaded.tokenizer.pad_token is None:
        loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
    vocabulary = Vocabulary.from_huggingface(
        loaded.tokenizer, vocab_size=loaded.vocab_size, stop_token_ids=loaded.stop_token_ids
    )
    results: list[Result] = []
    for name, schema in schemas(options.only.split(",") if options.only else None):
        result = write(loaded, vocabulary, name, schema, options)
        results.append(result)
        counts = f"{result.valid} valid, {result.ran_out} ran out"
        told = result.refused or f"{counts}, {result.tokens} tokens in {result.write_s:.1f} s"
        print(f"{name}: {told}", file=sys.stderr, flush=True)
        for sample in result.samples:
            if sample.problem is not None:
                print(f"  {sample.problem}\n  {sample.text!r}", file=sys.stderr, flush=True)
        if options.record is not None:
            with options.record.open("a", encoding="utf-8") as out:
                for sample in result.samples:
                    out.write(json.dumps({"schema": name, **vars(sample)}, ensure_ascii=False) + "\n")
    print(table(results))
    bad = any(r.refused is not None or any(s.problem is not None for s in r.samples) for r in results)
    return 1 if bad else 0
