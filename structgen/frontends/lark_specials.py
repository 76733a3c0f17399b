"""Special tokens in Lark text: ``<|name|>``, ``<[id]>``, ``<[from-to,id]>``."""

from __future__ import annotations

import re

from lark import Token

from ..ir import Alt, Expr, Special
from .lark_scope import Scope

_MOST = 1000
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def special_tokens(token: Token, scope: Scope, specials: dict[Special, None]) -> Expr:
    """Any one of the special tokens that a SPECIAL names; they go into ``specials``."""
    if not token.startswith("<["):
        found = [Special(str(token))]
    else:
        ids: dict[int, None] = {}
        for part in token[2:-2].split(","):
            match = _RANGE.fullmatch(part.strip())
            if match is None:
                raise scope.error(
                    f"{token} is not supported; name ids and ranges of them: <[12]>, <[3-5,9]>", token
                )
            low, high = int(match[1]), int(match[2] or match[1])
            if high < low:
                raise scope.error(f"the range {part.strip()} is empty: its ends are swapped", token)
            if high - low >= _MOST:
                raise scope.error(f"{token} names more than {_MOST} tokens", token)
            ids.update(dict.fromkeys(range(low, high + 1)))
        found = [Special(i) for i in ids]
    specials.update(dict.fromkeys(found))
    return found[0] if len(found) == 1 else Alt(tuple(found))
