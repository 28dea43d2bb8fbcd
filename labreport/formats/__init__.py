"""One file a format: each renders the same report and changes nothing in it."""
