"""The processor as ``generate`` sees it: what it returns, what it remembers, what it costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from structgen.transformers import GrammarLogitsProcessor, GrammarWarning, Step
from structgen.vocab import Vocabulary

from .finite import FiniteGrammar

A, B, C, STOP, SPECIAL = range(5)
VOCABULARY = Vocabulary([b"a", b"b", b"c", None, None], (STOP,))


def processor(*texts: str, **options: object) -> GrammarLogitsProcessor:
    return GrammarLogitsProcessor(FiniteGrammar(texts, VOCABULARY), **options)  # type: ignore[arg-type]


def allowed(call: GrammarLogitsProcessor, *rows: list[int], width: int = 5) -> list[list[int]]:
    """The tokens left to each row, of logits that are all 1."""
    masked = call(torch.tensor(rows), torch.ones(len(rows), width))  # type: ignore[arg-type]
    return [torch.nonzero(row > -torch.inf).flatten().tolist() for row in masked]


PROMPT = [C, SPECIAL]


def test_rows_are_read_from_the_prompt_on() -> None:
    call = processor("ab", "b")
    assert allowed(call, PROMPT) == [[A, B]]
    assert allowed(call, [*PROMPT, A]) == [[B]]
    assert allowed(call, [*PROMPT, A, B]) == [[STOP]]
    assert allowed(call, [*PROMPT, A, B, STOP]) == [[STOP]]
    assert allowed(call, [*PROMPT, A, B, STOP, SPECIAL]) == [[STOP]]


def test_rows_move_as_beams_do() -> None:
    call = processor("ab", "ba")
    assert allowed(call, PROMPT, PROMPT) == [[A, B]] * 2
    assert allowed(call, [*PROMPT, B], [*PROMPT, A]) == [[A], [B]]
    assert allowed(call, [*PROMPT, A, B], [*PROMPT, B, A]) == [[STOP]] * 2
    assert allowed(call, [*PROMPT, A], [*PROMPT, A]) == [[B]] * 2


def test_drafts_are_taken_back() -> None:
    call = processor("aab", "abb")
    for row in ([], [A], [A, A], [A, A, B], [A, B], [A, B, B], [A]):
        texts = [text for text in ("aab", "abb") if text.startswith("".join("abc"[i] for i in row))]
        expected = sorted({"abc".index(text[len(row)]) if len(text) > len(row) else STOP for text in texts})
        assert allowed(call, [*PROMPT, *row]) == [expected]


def test_new_prompts_begin_new_texts() -> None:
    call = processor("ab")
    assert allowed(call, PROMPT) == [[A]]
    assert allowed(call, [*PROMPT, A]) == [[B]]
    assert allowed(call, [*PROMPT, A, B, STOP, C]) == [[A]], "two tokens more than any row seen"
    assert allowed(call, [B]) == [[A]], "shorter"
    assert allowed(call, PROMPT) == [[A]], "an earlier prompt"
    call.reset()
    assert allowed(call, [*PROMPT, A]) == [[A]], "after reset nothing is known"


def test_prompt_that_extends_an_earlier_one_by_a_token_the_grammar_forbids() -> None:
    call = processor("ab")
    allowed(call, PROMPT)
    allowed(call, [*PROMPT, A])
    assert allowed(call, [*PROMPT, C]) == [[A]]


def test_result_is_a_new_tensor() -> None:
    scores = torch.ones(1, 5)
    masked = processor("ab")(torch.tensor([PROMPT]), scores)  # type: ignore[arg-type]
    assert torch.equal(scores, torch.ones(1, 5))
    assert masked.data_ptr() != scores.data_ptr()
    assert masked.tolist() == [[1, -torch.inf, -torch.inf, -torch.inf, -torch.inf]]


def test_text_that_only_grows_takes_no_fork() -> None:
    grammar = FiniteGrammar(["a" * 50], VOCABULARY)
    call = GrammarLogitsProcessor(grammar)
    for n in range(50):
        assert allowed(call, [*PROMPT, *[A] * n]) == [[A]]
    assert grammar.forks == 0
    assert allowed(call, [*PROMPT, *[A] * 7]) == [[A]]
    assert grammar.forks == 1


def test_other_widths_pass_when_the_width_is_known() -> None:
    call = processor("ab", vocab_size=5)
    foreign = torch.ones(1, 3)
    assert call(torch.tensor([[A, A]]), foreign) is foreign  # type: ignore[arg-type]
    assert allowed(call, PROMPT) == [[A]]


@pytest.mark.parametrize(("width", "expected"), [(9, [A]), (4, [A]), (1, [A])])
def test_other_widths_are_masked_when_it_is_not(width: int, expected: list[int]) -> None:
    assert allowed(processor("ab"), PROMPT, width=width) == [expected]


def test_width_without_any_legal_token_is_left_alone() -> None:
    assert allowed(processor("b"), PROMPT, width=1) == [[A]]


def test_legal_tokens_taken_by_others_come_back() -> None:
    call = processor("ab", "b")
    scores = torch.tensor([[-torch.inf, -torch.inf, 2.0, 3.0, 4.0]])
    with pytest.warns(GrammarWarning, match="forbade all 2 tokens"):
        masked = call(torch.tensor([PROMPT]), scores)  # type: ignore[arg-type]
    assert torch.allclose(masked[0, :2].exp(), torch.tensor([0.5, 0.5]))
    assert bool((masked[0, 2:] == -torch.inf).all())


def test_row_that_left_the_grammar_may_only_stop() -> None:
    call = processor("ab")
    allowed(call, PROMPT)
    with pytest.warns(GrammarWarning, match="row 0 holds a token"):
        assert allowed(call, [*PROMPT, C]) == [[STOP]]
    assert allowed(call, [*PROMPT, C, A]) == [[STOP]]


def test_drafts_and_beams_that_left_the_grammar_are_no_news(recwarn: pytest.WarningsRecorder) -> None:
    call = processor("ab")
    allowed(call, PROMPT)
    row = torch.tensor([[*PROMPT, C]])
    call(row, torch.ones(1, 3, 5)[:, 1, :])  # type: ignore[arg-type]
    call(row, torch.log_softmax(torch.randn(1, 5), dim=-1))  # type: ignore[arg-type]
    assert [w for w in recwarn if w.category is GrammarWarning] == []


def test_steps_are_told() -> None:
    steps: list[Step] = []
    call = processor("ab", "b", on_step=steps.append)
    allowed(call, PROMPT, PROMPT)
    allowed(call, [*PROMPT, A], [*PROMPT, B])
    assert [(s.row, s.written, s.allowed) for s in steps] == [(0, 0, 2), (1, 0, 2), (0, 1, 1), (1, 1, 1)]
    assert steps[2].matcher is not None
    allowed(call, [*PROMPT, A, B], [*PROMPT, B, STOP])
    assert steps[-1].matcher is None


def test_old_prompts_are_forgotten() -> None:
    call = processor("ab")
    for i in range(40):
        allowed(call, [C] * (2 * i + 1))
    assert len(call._prompts) < 5


def test_rows_and_grammars_must_fit() -> None:
    grammars = [FiniteGrammar(["a"], VOCABULARY), FiniteGrammar(["b"], VOCABULARY)]
    call = GrammarLogitsProcessor(grammars)
    assert allowed(call, PROMPT, PROMPT, PROMPT, PROMPT) == [[A], [A], [B], [B]]
    with pytest.raises(ValueError, match="2 compiled grammars for 3 rows"):
        allowed(call, PROMPT, PROMPT, PROMPT)


def test_what_cannot_be_a_batch() -> None:
    with pytest.raises(ValueError, match="the sequence is empty"):
        GrammarLogitsProcessor([])
    other = Vocabulary([b"a", None], (1,))
    with pytest.raises(ValueError, match="one vocabulary"):
        GrammarLogitsProcessor([FiniteGrammar(["a"], VOCABULARY), FiniteGrammar(["a"], other)])


def test_continuous_batching_is_declined() -> None:
    assert GrammarLogitsProcessor.supports_continuous_batching is False


def test_mask_that_allows_everything() -> None:
    """``False`` says that the row need not be applied, and may have been left unwritten."""

    class Everything(FiniteGrammar):
        def matcher(self) -> object:  # type: ignore[override]
            made = super().matcher()
            made.fill_next_token_bitmask = lambda bitmask, index=0: bool(bitmask[index].fill(0))  # type: ignore
            return made

    call = GrammarLogitsProcessor(Everything(["a"], VOCABULARY))
    assert allowed(call, PROMPT, width=40) == [[0, 1, 2, 3, 4]]
    assert np.array_equal(call._full_row, np.array([0b11111], np.int32))
