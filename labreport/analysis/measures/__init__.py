"""What is computed of one run or of a few numbers, without any finding."""
