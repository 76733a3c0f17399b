"""Kernels that make vocabulary tables (discipline ``any``).

``kinds`` finds which kinds of bytes lie below each node of a vocabulary's trie, once; ``states`` tells what
texts of some kinds do in a state of a pattern; ``tokens`` makes a table with both, ``endings`` the trie of
what comes after the pattern.
"""
