"""Capture truth: whether what happened in an editor reached the pipeline, compared with the editor's own files."""
