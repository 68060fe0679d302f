"""Log stores: read Bifrost's rows, and map them to records."""
