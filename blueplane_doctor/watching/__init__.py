"""Looking at the pipeline again and again: rounds, what changed between them, and how they are shown."""
