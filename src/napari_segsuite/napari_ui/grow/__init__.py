"""The live dock that grows seeds."""
