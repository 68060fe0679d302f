"""The JSON Schema of a document, generated from the models."""
