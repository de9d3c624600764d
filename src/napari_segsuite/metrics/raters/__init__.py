"""Several raters: how well they agree, and what they agree on."""
