"""A model that writes: the default model, how one is loaded, and the loop behind ``structgen generate``.

`model` finds and loads, `run` writes, `progress` tells the person at the terminal what is going on.
Nothing here is needed to use the engine from another host; torch and transformers are imported only
when a model is.
"""
