"""The consensus of several raters."""
