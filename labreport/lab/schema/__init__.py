"""The names that a lab may use, and their properties: one literal table a file."""
