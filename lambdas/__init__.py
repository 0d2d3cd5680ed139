"""What runs in AWS Lambda: one module per job, one per pipeline step, `shared` for what several of them use."""
