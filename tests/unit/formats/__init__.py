"""Tests of the formats, and the rows that they share."""
