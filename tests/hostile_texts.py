"""Text that means more than text somewhere."""

HOSTILE_FORMULA = "setting('</code><script>alert(1)</script>') == \"'><img src=x>&lt;\""
"""A formula whose value is False."""
