"""Cases, parts and the guard of the fuzz run."""
