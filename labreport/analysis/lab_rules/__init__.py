"""Rules over all experiments of a lab."""
