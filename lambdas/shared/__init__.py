"""Parts that several functions use."""
