"""Objects: which of them match, and what became of the others."""
