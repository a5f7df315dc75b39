"""What may be shown: text is let in where it is known, and never taken out."""
