"""Log stores with known contents: for trying things, for our tests, and for people who write their own log store."""
