"""The forms of a document: short form, long form, defaults, and Bifrost's `logs_store`."""
