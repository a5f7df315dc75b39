"""The engine: one examination judged by all checks, its causes, and evidence that can be judged again."""
