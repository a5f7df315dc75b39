"""What a command was called with, how its answer is shown, and what a shell proposes."""
