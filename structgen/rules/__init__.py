"""Grammar expressions to rule automata: analysis, construction, layout in the heap."""
