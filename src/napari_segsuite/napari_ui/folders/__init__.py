"""Evaluating folders of labels."""
