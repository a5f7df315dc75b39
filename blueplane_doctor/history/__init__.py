"""The history: minute samples of the pipeline's numbers for seven days, in Redis; written by `record` alone."""
