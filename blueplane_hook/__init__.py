"""`blueplane-hook NAME`: hands an editor's hook event to the pipeline's server. Standard library alone, few imports.

A package of its own beside blueplane_doctor: an editor waits for it, so it must not pay for the doctor's start-up.
"""
