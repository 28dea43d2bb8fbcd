"""What paper needs and a screen does not."""
