"""Where rows go: one module a destination, each with its own config model."""
