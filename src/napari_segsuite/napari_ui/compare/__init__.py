"""The docks that compare methods, and numbers of clusters."""
