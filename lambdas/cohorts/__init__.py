"""Parts of SelectSeeds and the audience jobs: cohorts, suppression, attempts, and the model owner's refusals."""
