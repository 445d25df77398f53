"""A sweep on every device, written to disk block by block, which goes on after an interruption.

Run: python examples/sweep_to_disk.py
On a cluster, one process a node or GPU: srun -n 8 python examples/sweep_to_disk.py --distributed
"""

# %% How much information two oscillators share, exactly and by the local equation
import sys
from pathlib import Path

import jax
import jax.numpy as jnp

import jaxosc

jax.config.update("jax_enable_x64", True)

OMEGA, DAMPING, COLD = (5.0, 2.0), (1.5e-4, 1.5e-4), 1.0
CRITICAL = jaxosc.critical_coupling(OMEGA, "position")
EQUATIONS = {"exact": jaxosc.langevin, "local": jaxosc.local_lindblad}


def information(ratio: jax.Array, delta_t: jax.Array) -> dict[str, jax.Array]:
    """Mutual information in nats, with the second bath hotter by ``delta_t``."""
    oscillators = jaxosc.pair(OMEGA, ratio * CRITICAL, "position")
    baths = jaxosc.Baths(DAMPING, jnp.stack([jnp.full_like(delta_t, COLD), COLD + delta_t]))
    return {
        name: jaxosc.mutual_information(jaxosc.steady_state(equation(oscillators, baths)))
        for name, equation in EQUATIONS.items()
    }


def main(fast: bool = False, folder: Path = Path()) -> jaxosc.SweepResult:
    """Sweep into ``information.zarr`` and print where the local equation is farthest off."""
    points = 101 if fast else 2001
    axes = {
        "ratio": jnp.linspace(0.05, 0.99, points),
        "delta_t": jnp.linspace(0.0, 10.0, points),
    }
    # %% Kill this at any moment and start it again: it goes on where it was
    result = jaxosc.sweep(information, axes, store=folder / "information.zarr")

    # %% The values stay on disk; xarray reads what is asked of it
    if jax.process_index() == 0:
        data = result.to_xarray()
        for delta_t in (0.0, 5.0, 10.0):
            line = data.sel(delta_t=delta_t, method="nearest")
            worst = abs(line["local"] / line["exact"] - 1).idxmax("ratio").item()
            there = line.sel(ratio=worst)
            print(
                f"dT = {delta_t:4.1f}: farthest off at {worst:.3f} of the critical coupling, "
                f"{there['local'].item():.4f} in place of {there['exact'].item():.4f} nats"
            )
    return result


if __name__ == "__main__":
    if "--distributed" in sys.argv[1:]:
        jax.distributed.initialize()
    main(fast="--fast" in sys.argv[1:])
