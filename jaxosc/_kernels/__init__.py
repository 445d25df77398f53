"""Kernels that take and give arrays, one file for each kind of network."""
