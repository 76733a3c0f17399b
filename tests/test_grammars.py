"""The shipped grammars through the engine itself: every sample is taken or refused as it should be.

`tests/frontends` holds the same samples against a recogniser of its own. A text is refused for a byte that
cannot come, or because it is not whole at its end; on the way there no mask is empty, and each says the same
as the matcher. That what is open can be finished is proved of each grammar, so no mask is too wide.
"""

from __future__ import annotations

import tomllib

import pytest

import structgen as sg
from structgen.frontends.library import find_grammar, library_folder, list_grammars

NAMES = [grammar.name for grammar in list_grammars()]
VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str) -> None:
    path = find_grammar(name)
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    compiled = sg.compile(grammar, VOCABULARY)
    samples = tomllib.loads((library_folder() / "samples" / f"{name}.toml").read_text(encoding="utf-8"))
    assert samples["accept"]
    assert samples["reject"]
    bitmask = sg.allocate_token_bitmask(1, VOCABULARY.size)
    for wanted, texts in ((True, samples["accept"]), (False, samples["reject"])):
        for text in texts:
            matcher = compiled.matcher()
            whole = True
            for byte in text.encode():
                matcher.fill_next_token_bitmask(bitmask)
                allowed = sg.unpack_token_bitmask(bitmask, VOCABULARY.size)[0]
                assert allowed.any(), (text, matcher)
                whole = matcher.accept_token(byte)
                assert whole == allowed[byte], (text, matcher)
                if not whole:
                    break
            whole = whole and matcher.is_accepting()
            assert whole == wanted, text
    assert compiled._arena.unproved == 0, "a mask may have been too wide: what is open was not proved to end"
