"""An HTTP server that withstands hostile callers; it knows nothing of what the application behind it answers."""
