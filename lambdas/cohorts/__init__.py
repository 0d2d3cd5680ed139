"""Who belongs to a cohort, who may not be in a seed, and what the audience model's owner refuses."""
