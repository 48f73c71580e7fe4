"""Each step of the tables' history, in order."""
