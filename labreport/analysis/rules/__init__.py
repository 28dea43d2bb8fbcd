"""Rules by theme: each is a pure function from the results of an experiment to observations."""
