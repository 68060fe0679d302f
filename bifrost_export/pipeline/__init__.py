"""The steps of a run as plain Python: the CLI, the operators and the tests call the same functions."""
