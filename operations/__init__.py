"""Commands for a deployed environment, real or local: run, inspect, repair, forget. Never deployed themselves."""
