"""The run-time half: compiled grammars in memory, and the kernels that walk them."""
