"""Model and data -> fit -> answers."""
