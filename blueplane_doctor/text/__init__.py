"""Text, numbers and times as people read them, and the terminal; nothing here knows the pipeline."""
