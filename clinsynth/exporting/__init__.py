"""From a checkpoint to a bundle: the graph, its int8 form, and the gate that a bundle has to pass."""
