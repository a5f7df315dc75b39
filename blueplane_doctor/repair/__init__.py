"""Repair: from findings to a healthy pipeline. A plan first, everything saved before anything is changed."""
