"""Kernels: linear algebra and quadrature rules, with no physics of their own."""
