"""Removing all that is kept of one patient, and proving that nothing is left."""
