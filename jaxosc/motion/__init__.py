"""What a description does in time: motion, correlations, spectra, outputs, relaxation."""
