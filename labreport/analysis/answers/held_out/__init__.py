"""Answers by rows that training does not see."""
