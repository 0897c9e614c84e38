"""Models without group effects: one matrix-shaped solver for one neuron or many."""
