"""Finds clinical entities in text, offline, by a dictionary, patterns and rules: a stand-in for Comprehend Medical.

`detect(text)` is the interface. Its answer has the form of the service's, but not its medical quality, which
`python -m bench.entities` measures.
"""

from local.engines.entities.detect import MODEL_VERSION, detect

__all__ = ["MODEL_VERSION", "detect"]
