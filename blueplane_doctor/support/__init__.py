"""The support bundle: made of what is known to be harmless, never by taking secrets out of what may hold them."""
