"""The HTML pages for people: one per batch, one per recording. A page loads no other files."""
