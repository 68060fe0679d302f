"""`make bench`: how long exports take, beside the least that any program could need; no part of the package."""
