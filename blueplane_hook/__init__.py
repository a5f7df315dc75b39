"""`blueplane-hook NAME`: hands an editor's hook event to the pipeline's server; apart, for an editor waits for it."""
