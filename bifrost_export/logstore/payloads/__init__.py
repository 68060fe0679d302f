"""Readers of the object storages that Bifrost offloads payloads to."""
