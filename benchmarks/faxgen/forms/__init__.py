"""The documents: each function draws one layout of one class of the taxonomy into a `Draft`."""
