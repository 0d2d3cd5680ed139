"""A local Comprehend Medical: entity detection, at once or as a batch job. See `models` for its assumptions."""

from local.services.comprehendmedical.models import comprehendmedical_backends

__all__ = ["comprehendmedical_backends"]
