"""How the servers that stand in for the clouds are started."""
