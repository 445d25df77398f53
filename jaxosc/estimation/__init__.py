"""What measurements tell of parameters: Fisher information of states and outcomes, and fits."""
