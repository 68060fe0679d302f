"""Tests of the documents: reading, checking, references, freezing."""
