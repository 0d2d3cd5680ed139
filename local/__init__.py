"""An AWS on this machine, for trying, testing and demonstrating. Never shipped; the functions never see it."""
