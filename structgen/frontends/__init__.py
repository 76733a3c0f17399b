"""What a user writes (JSON Schema, Lark text, patterns, choices, types) to the grammar IR."""
