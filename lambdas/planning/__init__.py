"""Parts of PlanBatch: the input, the recordings' object heads and media headers, and the claims."""
