"""Scripts for developers: the pages of the documentation that are generated from the code, and its pictures."""
