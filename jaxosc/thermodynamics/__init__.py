"""Heat, work, entropy and energy: what a description exchanges, and what a state holds."""
