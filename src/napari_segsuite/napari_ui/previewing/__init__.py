"""What a method would do, while its settings are still being chosen."""
