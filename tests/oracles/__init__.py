"""The definition as code: recognisers that are slow and too simple to be wrong.

`derivative` decides regular languages, `earley` context-free ones cut in any way, `longest` those
cut into the longest terminals, and `mask` says from either of the last two which tokens may follow.
They share nothing with the engine but the grammar form they read, and are never imported by it.
"""
