"""The document: its text, forms, models, checks, references and published schema."""
