"""What scores of many cases say: intervals, tests and ranks."""
