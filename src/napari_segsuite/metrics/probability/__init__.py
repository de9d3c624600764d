"""How good probabilities are, before a threshold is chosen."""
