"""Removes all stored data of one patient, and proves that nothing is left."""
