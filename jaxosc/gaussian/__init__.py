"""What a Gaussian state tells: numbers from a covariance, whatever it came from.

A covariance is σ [2N, 2N], σ_ij = ⟨{r_i, r_j}⟩/2 of the quadratures (x1, p1, x2, p2, …) with
[x, p] = i, so that the vacuum has variance 1/2. Entropies are in nats.

What is asked of σ is asked of its entries as they are, rounded: ``is_physical`` says whether they
are those of a state but for that rounding, and a number that depends on the state being one, or
that the entries do not determine, is NaN.
"""
