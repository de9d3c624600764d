"""How far apart the borders of prediction and reference lie."""
