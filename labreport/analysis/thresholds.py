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

STAYING = 0.001
"""When a run that stands still is trained on, its distance from the floor changes by less than a
thousandth: what creeps faster would be elsewhere after ten times as long."""

LONG_AFTER = 1000
"""Times the rounds of a run, for which an optimizer that divides by the size of past gradients must
get nowhere before its run is called stuck: what it divides by fades, and the step grows back."""

NOWHERE = 0.01
"""A weight that moves by less than a hundredth altogether has not moved on; those of the networks
that a lab trains begin with sizes around a half."""

STANDING_STILL = 0.01
"""Over the last half of the rounds the distance from the floor changes by less than a hundredth: a
small gradient with a large step size, or with many rounds, still goes somewhere."""

FAR_FROM_FLOOR = 0.01
"""Still more than a hundredth of the first distance from the floor: not the usual end, where the
gradient vanishes because nothing is left to gain."""

LONGER_WAY = 2.0
"""More than twice as far from the floor, or twice as long to come to it for good as to come there
first: most of that way is another way."""

CLOSE = 0.05
"""Losses within a twentieth of each other are the same line in any figure."""

ALIKE = 0.01
"""First steps count as equal if they differ by less than a hundredth of the learning rate."""

UNLIKE_GRADIENTS = 2
"""Gradients of which the largest is twice the smallest: steps of one size are not due to them."""

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

FEW_ROUNDS = 10
"""In fewer rounds there is no course to speak of: their last tenth is not even one round."""

OFTEN_RISING = 0.1
"""A loss that rises in a tenth of the rounds does so too often for a slip."""

UP_AND_DOWN = 6
"""Changes of direction: up and down three times. A single overshoot makes two."""

STILL_FALLING = 0.05
"""Over the last tenth of the rounds more than a twentieth of what was left: at that pace as many
rounds again would take two fifths of it, which any figure shows."""

OVERFITTED = 0.1
"""A loss on held-out rows that is a tenth above its lowest: more than a few rows decide."""

PLATEAU_HEIGHT = 0.01
"""Within a hundredth of all that the loss changed, a curve looks level."""

PLATEAU_LENGTH = 1 / 3
"""A level stretch of a third of the rounds: long enough to be taken for the end of training."""

PLATEAU_FALL = 0.1
"""After the level stretch the loss still falls by a tenth of all that it changed: ten times what
it did on the level, so that it was not the end."""

NEAR_LIMIT = 0.5
"""Half of the limit is the inverse of the curvature: from there on a step without momentum along
the steepest curve goes past the bottom of its valley."""

WINDING = 1.5
"""A way half as long again as the straight one is a detour that a figure shows."""

STRAIGHT = 1.05
"""A way that is a twentieth longer than the straight one bends, at the most, by little."""

VANISHING = 0.1
"""With a tenth of the gradient a weight of the first layer learns ten times as slowly."""

EXPLODING = 10
"""The other way round: a rate that suits the last layer is ten times too large for the first."""

SATURATED = 0.01
"""A hundredth of an activation's largest slope: it lets a hundredth of the gradient through."""

MANY_SATURATED = 0.25
"""A quarter of the hidden units, counted for each row: more than a few that have specialised."""

SAME_ANSWER = 0.05
"""Outputs that differ between rows by a twentieth of what their targets do tell nothing apart."""

NO_ODDS = 1e-3
"""A thousandth of the loss that training began with: two results that differ by less are level for
whoever has to choose between them, and no figure shows which is lower."""

FAR_BEHIND = 3.0
"""Times the distance from the floor of the best start: a start that ends farther away than that has
failed, where one that ends a little short of nine tenths of the way has only been slow."""

FEWEST_PAIRS = 10
"""Random starts from which on it is told how often one of two results is the lower one."""

MOSTLY_STARTS = 0.9
"""Nine of ten starts: a comparison that comes out the same from so many does not hang on one."""

BEYOND_DOUBT = 0.001
"""A probability below a thousandth is told as that: what is beyond it nobody can use."""
