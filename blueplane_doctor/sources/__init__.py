"""Where evidence comes from: Redis, SQLite, files, processes. Everything here only reads, within a time limit."""
