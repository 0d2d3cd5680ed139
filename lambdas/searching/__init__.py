"""Searching what is stored for patients: their traces, and how each kind of object may name them."""
