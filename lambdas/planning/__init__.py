"""Parts of PlanBatch: the input, the recordings' object heads and media headers, the claims, and the cost."""
