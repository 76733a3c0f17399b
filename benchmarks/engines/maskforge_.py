"""maskforge: JSON Schema only; a program is bound to the vocabulary, and a session is reset for each text."""

from __future__ import annotations

from typing import Any

import maskforge

from . import Refused, Steps, packed


class Adapter:
    """Its cache of schemas is off, since no schema comes twice; one stop token."""

    settings = "Compiler(executable_cache_bytes=0), one session reset for each text"

    def __init__(self, tokenizer: str, words: Any) -> None:
        self.stop = words.stop_token_ids[0]
        texts = [words.bytes_of(i) for i in range(words.size)]
        self.vocabulary = maskforge.Vocabulary.from_id_ordered_tokens(texts, eos_token_id=self.stop)
        self.compiler = maskforge.Compiler(executable_cache_bytes=0)

    def compile(self, case: Any) -> Any:
        if case.kind not in ("json_schema", "json"):
            raise Refused("takes JSON Schema only")
        try:
            bound = self.compiler.compile(case.text).bind(self.vocabulary)
        except maskforge.MaskforgeError as error:
            raise Refused(str(error)) from error
        return bound.start_session(), bytearray(4 * bound.mask_word_count)

    def start(self, compiled: Any) -> Steps:
        session, row = compiled
        session.reset()

        def fill() -> None:
            session.write_mask(row)

        def accept(token: int) -> bool:
            try:
                session.advance(token)
            except maskforge.MaskforgeError:
                return False
            return not session.is_dead

        offers = packed(memoryview(row).cast("i"))
        return Steps(fill, offers, accept, lambda: session.is_accepting, (self.stop,))
