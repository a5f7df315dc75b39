"""Installing and removing: named steps, one file each, every change shown, journalled and undone."""
