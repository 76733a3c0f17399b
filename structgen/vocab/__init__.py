"""Vocabularies: which bytes each token id writes, and the trie of them.

Nothing here knows a grammar.
"""

from .trie import Trie, build_trie, sub_trie
from .vocabulary import Vocabulary

__all__ = ["Trie", "Vocabulary", "build_trie", "sub_trie"]
