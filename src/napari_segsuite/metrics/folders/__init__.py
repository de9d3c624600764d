"""Many predictions in a folder against the references in another."""
