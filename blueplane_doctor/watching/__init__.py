"""Looking at the pipeline again and again: rounds, and the screen that shows them."""
