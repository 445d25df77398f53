"""The descriptions of a network in contact with its baths, one file each."""
