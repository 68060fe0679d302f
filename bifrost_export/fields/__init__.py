"""Building blocks of config models: strict base, markers, units, pointers, reference syntax, suggestions."""
