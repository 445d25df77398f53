"""Critical points by gradient: susceptibilities, exponents, critical manifolds, frontiers."""
