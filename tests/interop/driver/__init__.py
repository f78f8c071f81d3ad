"""Drives gNMI clients that others wrote against a running gateway."""
