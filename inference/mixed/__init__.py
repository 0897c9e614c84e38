"""Mixed models of normal responses: the profiled deviance of nested and crossed groups."""
