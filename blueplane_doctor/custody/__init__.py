"""Chain of custody: for every message in the stream, where it is now, and the proof."""
