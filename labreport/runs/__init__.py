"""Runs on disk: content-addressed, written atomically, read back to the bit."""
