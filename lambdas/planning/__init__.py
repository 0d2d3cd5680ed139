"""What PlanBatch decides by: the input, the recordings' heads and headers, and who works on each."""
