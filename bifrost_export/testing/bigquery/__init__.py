"""BigQuery on the loopback: what of its REST API an export needs, for the demo and for tests."""
