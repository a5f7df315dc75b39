"""Monitors: each reads one area of the pipeline into one frozen health record, and judges nothing.

The folder listing is the registry: a module with a Monitor subclass is a monitor.
"""
