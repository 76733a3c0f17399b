"""The shipped grammars: found by name, described, and each against its samples."""

from __future__ import annotations

import json
import tomllib

import pytest

from structgen.errors import GrammarError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.frontends.library import find_grammar, library_folder, list_grammars
from structgen.ir import GrammarIR
from tests.oracles.longest import Longest
from tests.oracles.mask import oracle

NAMES = [g.name for g in list_grammars()]
SAMPLES = {name: tomllib.loads((library_folder() / "samples" / f"{name}.toml").read_text()) for name in NAMES}


def ir_of(name: str, lexing: str = "longest") -> GrammarIR:
    path = find_grammar(name)
    return lark_to_ir(path.read_text(), base_path=path, lexing=lexing, source=path.name)


def test_names() -> None:
    assert {"json", "arithmetic"} <= set(NAMES)
    assert find_grammar("json") == find_grammar("json.lark")
    assert find_grammar("json").is_file()
    assert all(g.description.endswith(".") and len(g.description) < 120 for g in list_grammars())


@pytest.mark.parametrize("name", ["jsn", "JSON", "../json", "samples/json", ""])
def test_unknown_names(name: str) -> None:
    with pytest.raises(GrammarError, match=r"there is no shipped grammar .* There are: .*json"):
        find_grammar(name)


def test_near_names() -> None:
    with pytest.raises(GrammarError, match="did you mean json"):
        find_grammar("jsn")


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str) -> None:
    is_member = oracle(ir_of(name), b"", 0).is_member
    assert [s for s in SAMPLES[name]["accept"] if not is_member(s.encode())] == []
    assert [s for s in SAMPLES[name]["reject"] if is_member(s.encode())] == []


def test_json_is_what_a_reader_takes() -> None:
    reads = Longest(ir_of("json"), b"", 0).reads

    def standard(text: str) -> bool:
        try:
            json.loads(text, parse_constant=lambda _: 1 / 0)
        except (ValueError, ZeroDivisionError):
            return False
        return True

    samples = SAMPLES["json"]["accept"] + SAMPLES["json"]["reject"]
    for text in samples:
        for cut in range(len(text) + 1):
            before, after = text[:cut], text[cut:]
            for tried in (before + after[1:], before + '"' + after, before + "," + after):
                assert reads((), tried.encode()) == standard(tried), tried
