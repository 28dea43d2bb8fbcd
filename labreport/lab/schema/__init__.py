"""What a lab may name, and what is true of it: one literal table a file."""
