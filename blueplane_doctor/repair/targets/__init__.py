"""Targets: one file each. A module that sets `TARGET` is a target; see repair/base.py for what one is."""
