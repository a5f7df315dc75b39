"""Telling people: what is new of the causes of a pipeline, in one message for each target, and how it gets there."""
