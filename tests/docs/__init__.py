"""The documentation and the README say what is true, and what they show runs."""
