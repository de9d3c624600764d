"""Segmentation methods, one module each; `registry` finds them by walking this package."""
