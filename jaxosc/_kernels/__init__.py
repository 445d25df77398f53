"""Array-level solvers of the descriptions: they take and give arrays, never a record."""
