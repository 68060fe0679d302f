"""The text of a document: JSON and YAML, with the position of each value."""
