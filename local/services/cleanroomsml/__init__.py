"""A local AWS Clean Rooms ML: lookalike audiences only, no custom models. See `models` for its assumptions."""

from local.services.cleanroomsml.models import cleanroomsml_backends

__all__ = ["cleanroomsml_backends"]
