"""What is measured, topic by topic."""
