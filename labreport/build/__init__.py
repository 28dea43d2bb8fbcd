"""Operations on a lab: building its report, checking it, listing it, cleaning up after it."""
