"""BigQuery on the loopback: the part of its REST API that an export needs."""
