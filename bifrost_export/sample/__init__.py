"""A log store with plausible rows, the same for the same seed."""
