"""The student's notes: Markdown read, checked and rendered."""
