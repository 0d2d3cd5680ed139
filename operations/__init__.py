"""What a person does with a deployed environment, real or local: run, look, repair, forget. Never shipped."""
