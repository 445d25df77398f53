"""The kernels: what is computed for one network, as arrays, and the file that chooses them."""
