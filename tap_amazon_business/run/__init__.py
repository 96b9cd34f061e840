"""Running a sync: all streams in parallel, their progress, and the summary at the end."""
