"""Checks of a document, and the messages of their problems."""
