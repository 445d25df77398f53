"""Grids of any size over functions of named parameters."""
