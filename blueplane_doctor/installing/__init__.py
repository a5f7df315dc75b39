"""Installing and removing: named steps, every change shown, journalled and undone."""
