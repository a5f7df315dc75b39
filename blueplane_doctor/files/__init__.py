"""Files from outside: whose they are, read within limits, and the documents in them."""
