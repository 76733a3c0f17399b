"""JSON text to the rules of a sketch, in two kernels: the part of reading a schema that grows with its text.

A schema that says no more than ``type``, ``properties``, ``required``, ``additionalProperties``, ``items``,
listed strings and references becomes rows of numbers, as `sketch.Sketch` has them. What is below a keyword
that is not known here is left to Python, and a text that is not JSON, or has anything odd in it, altogether.

::

    values.py      the values of the text           words.py    which keyword some bytes are
    references.py  what a reference leads to        forms.py    the rule of one schema
    rules.py       all rules of a text
"""
