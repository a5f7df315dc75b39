"""What the HTML page is made of beside its templates; imported when a page is made."""
