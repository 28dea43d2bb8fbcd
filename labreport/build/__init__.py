"""What commands do with a lab: build its report, check it, list it, clean up after it."""
