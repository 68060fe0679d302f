"""Servers on the loopback that stand in for the clouds, for the demo and the tests."""
