"""Every threshold of the rules, by name, with its reason beside it.

``labreport rules`` prints them with their reasons, which stand in the catalogues as well; claims
name them in capitals. They are looked up when a rule is applied, not when it is imported.
"""

OTHER_START = 0.01
"""Initial losses that differ by less than a hundredth cannot make up a lead that a reader sees."""

ROUNDING = 16
"""Units of rounding within which two losses are the same: what a few operations can make."""

MOST_OF_THE_WAY = 0.9
"""A threshold that separates quick from slow: nine tenths of the way from the reference's first
loss to its floor, so the rest is the slow end that every run has."""

VANISHED = 1e-2
"""A gradient a hundred times smaller than the largest of its run moves a weight no further in
the whole budget than the largest one did in a hundredth of it."""

STANDING_STILL = 0.01
"""Over the last half of the rounds the distance from the floor changes by less than a hundredth: a
small gradient with a large step size, or with many rounds, still goes somewhere."""

FAR_FROM_FLOOR = 0.01
"""Still more than a hundredth of the first distance from the floor: not the usual end, where the
gradient vanishes because nothing is left to gain."""

CLOSE = 0.05
"""Losses within a twentieth of each other are the same line in any figure."""

ALIKE = 0.01
"""First steps count as equal if they differ by less than a hundredth of the learning rate."""

OVERSHOOT = 1.5
"""The distance from the floor at the end against the smallest on the way: half as much again is
more than any figure would hide, and far more than rounding makes."""

SIGNIFICANCE = 0.05
"""The customary level: of comparisons in which there is nothing to find, one in twenty says so."""

CONFIDENCE = 0.95
"""The customary confidence of an interval: what is left of 1 after the level of significance."""

MOSTLY = 0.5
"""More than half: what may be called the main reason, where two reasons share a difference."""

MIDDLE = (0.05, 0.95)
"""Quantiles between which nine in ten random starts end: a range that two outliers do not make."""

ENOUGH_STARTS = 20
"""Starts from which on the fifth and the last twentieth have at least one each."""

POWER = 0.8
"""The customary power: a difference that is there is to be seen in four of five repetitions."""
