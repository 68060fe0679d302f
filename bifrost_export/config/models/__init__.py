"""The models of an export in long form."""
