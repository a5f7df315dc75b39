"""The process itself: how it starts, is interrupted, and what it hides of its own arguments."""
