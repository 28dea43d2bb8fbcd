"""From results and observations to a Report: one frozen tree that every format renders."""
