"""Measuring labels against a reference in the viewer."""
