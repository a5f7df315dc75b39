"""Questions about single messages: one followed through the pipeline, dead letters listed and shown."""
