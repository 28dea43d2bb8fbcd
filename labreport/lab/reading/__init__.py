"""From the text of a lab file to a lab, with all faults in one pass."""
