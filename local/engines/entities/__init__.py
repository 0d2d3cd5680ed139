"""Clinical entities out of text, offline: a dictionary, patterns and rules standing in for Comprehend Medical.

`detect(text)` is all that others need. It knows nothing of AWS but the shape of its answer, and its medical quality is
not the service's: `python -m bench.entities` measures it.
"""

from local.engines.entities.detect import MODEL_VERSION, detect

__all__ = ["MODEL_VERSION", "detect"]
