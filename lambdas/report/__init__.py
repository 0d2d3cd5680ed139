"""The HTML pages that people read: one for a batch, one for each recording. They need nothing but themselves."""
