"""A local AWS Clean Rooms ML: lookalike audiences only, none of custom models. See `models` for its assumptions."""

from local.services.cleanroomsml.models import cleanroomsml_backends

__all__ = ["cleanroomsml_backends"]
