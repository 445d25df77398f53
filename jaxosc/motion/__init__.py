"""What a description does in time: evolution, correlations, spectra, ports, relaxation."""
