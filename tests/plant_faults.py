"""Plants single faults in the physics, one at a time, and tells which of them the tests miss.

    python tests/plant_faults.py                    # 120 faults, drawn by seed 1
    python tests/plant_faults.py --list             # shows them, runs nothing
    python tests/plant_faults.py --only baths.py    # all the faults of one file
    python tests/plant_faults.py --fault 812        # one of them again
    python tests/plant_faults.py --resume           # goes on with an interrupted run

A fault is a wrong sign, a missing factor of two, a swapped index or name, a product for a
quotient, a comparison turned round, a square left out, a term dropped from a sum. Each is written
into a copy of the repository, where tests run until one fails: the fast ones of the module, all
other fast ones, and then what continuous integration adds of the module.
Faults in messages, checks of arguments, sizes of arrays and settings that only tune speed are
left out, and so are tests that look at speed or at storage.
"""

from __future__ import annotations

import argparse
import ast
import collections
import concurrent.futures
import difflib
import hashlib
import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
SELF = Path(__file__).resolve().relative_to(ROOT)

# The modules that hold physics, and the test files to try first.
TESTS = {
    "_kernels/bohr.py": "family family_witnesses microscopic slopes dense_kernels",
    "_kernels/clusters.py": "family diagnosis family_witnesses",
    "_kernels/coloured.py": "evolution correlations",
    "_kernels/dense.py": "dense_kernels kernels microscopic",
    "_kernels/embedded.py": "exact_baths correlations spectra_of_motion",
    "_kernels/few_modes.py": "equations accuracy time_evolution",
    "_kernels/flow.py": "evolution",
    "_kernels/general.py": "identities any_network kernels batches critical_points",
    "_kernels/growth.py": "critical_points any_network",
    "_kernels/interface.py": "kernels equations domain",
    "_kernels/many_modes.py": "many_modes",
    "_kernels/modes.py": "any_network degenerate family derivatives",
    "_kernels/network.py": "equations accuracy critical_points",
    "_kernels/network_secular.py": "equations properties accuracy microscopic",
    "_kernels/network_thermal.py": "equations properties accuracy microscopic",
    "_kernels/pair.py": "equations accuracy properties",
    "_kernels/pair_algebra.py": "pair_bohr equations accuracy",
    "_kernels/pair_bohr.py": "pair_bohr family slopes",
    "_kernels/pair_equation.py": "equations accuracy",
    "_kernels/pair_forms.py": "pair_bohr family equations",
    "_kernels/pair_langevin.py": "equations accuracy properties",
    "_kernels/pair_lyapunov.py": "equations accuracy pair_bohr",
    "_kernels/pair_modes.py": "equations properties accuracy criticality",
    "_kernels/pair_response.py": "equations accuracy properties compilation",
    "_kernels/pair_secular.py": "equations properties accuracy microscopic",
    "_kernels/pair_stability.py": "critical_points",
    "_kernels/quadrature.py": "exact_baths thermodynamics",
    "_kernels/secular.py": "any_network degenerate family dense_kernels",
    "_kernels/selection.py": "identities kernels equations critical_points",
    "_landscape.py": "optimization criticality",
    "_numerics/bogoliubov.py": "equations properties many_modes degenerate derivatives",
    "_numerics/complex_scalar.py": "equations accuracy",
    "_numerics/cross_block.py": "cross_block equations gaussian",
    "_numerics/differences.py": "slopes dense_kernels degenerate entanglement",
    "_numerics/discord.py": "entanglement slopes debug_flags",
    "_numerics/dispersion.py": "spectra principal_values",
    "_numerics/divergence.py": "distances",
    "_numerics/divided.py": "pair_bohr family",
    "_numerics/eigensystem.py": "relaxation slopes",
    "_numerics/eigenvalues.py": "critical_points",
    "_numerics/elementwise.py": "compilation equations accuracy",
    "_numerics/entanglement.py": "entanglement",
    "_numerics/entropy.py": "gaussian properties accuracy",
    "_numerics/fidelity.py": "distances precision",
    "_numerics/filters.py": "spectra exact_baths correlations",
    "_numerics/fisher.py": "precision",
    "_numerics/frame.py": "distances precision",
    "_numerics/instability.py": "critical_points",
    "_numerics/jacobians.py": "compilation derivatives",
    "_numerics/linear.py": "batches many_modes gaussian",
    "_numerics/lyapunov.py": "equations many_modes",
    "_numerics/matsubara.py": "equations many_modes exact_baths thermodynamics",
    "_numerics/matsubara_rules.py": "equations accuracy many_modes",
    "_numerics/quartic_sums.py": "equations accuracy derivatives",
    "_numerics/rational_fit.py": "spectra exact_baths",
    "_numerics/renyi.py": "gaussian debug_flags",
    "_numerics/resolvent.py": "spectra_of_motion ports relaxation",
    "_numerics/roots.py": "criticality",
    "_numerics/sharing.py": "equations accuracy compilation",
    "_numerics/shifts.py": "principal_values family",
    "_numerics/small.py": "equations gaussian accuracy",
    "_numerics/special.py": "special equations accuracy",
    "_numerics/spectral.py": "slopes gaussian entanglement",
    "_numerics/symmetry.py": "distances derivatives properties",
    "_numerics/uncertainty.py": "gaussian accuracy properties",
    "_numerics/whole.py": "whole",
    "_scales.py": "comparison diagnosis",
    "baths.py": "equations microscopic properties diagnosis critical_points bad_input",
    "comparison/advice.py": "comparison",
    "comparison/measures.py": "comparison",
    "criticality/continuation.py": "criticality",
    "criticality/critical_points.py": "critical_points diagnosis",
    "criticality/derivatives.py": "criticality",
    "criticality/frontier.py": "criticality",
    "diagnosis.py": "diagnosis",
    "domain.py": "domain bad_input diagnosis",
    "dynamics.py": "equations time_evolution many_modes bad_input",
    "eigenmodes.py": "equations properties accuracy",
    "equations/coarse_grained_lindblad.py": "identities family family_witnesses slopes",
    "equations/detailed_balance_lindblad.py": "family family_witnesses thermodynamics",
    "equations/entrance.py": "equations domain bad_input",
    "equations/environment.py": "exact_baths microscopic dynamics",
    "equations/family.py": "family family_witnesses pair_bohr",
    "equations/gibbs.py": "equations properties accuracy criticality",
    "equations/global_lindblad.py": "equations properties accuracy microscopic",
    "equations/langevin.py": "equations properties accuracy microscopic",
    "equations/langevin_integral.py": "equations microscopic properties",
    "equations/lindblad.py": "any_network dynamics",
    "equations/local_corrected.py": "family dynamics",
    "equations/local_lindblad.py": "identities equations properties accuracy time_evolution",
    "equations/partial_secular.py": "family family_witnesses slopes",
    "equations/principal_values.py": "principal_values",
    "equations/redfield.py": "family family_witnesses slopes",
    "equations/unified_lindblad.py": "family family_witnesses",
    "equations/universal_lindblad.py": "identities family family_witnesses",
    "estimation/families.py": "fit precision",
    "estimation/fit.py": "fit",
    "estimation/measurement.py": "precision",
    "estimation/quantum_fisher.py": "precision",
    "gaussian/distances.py": "distances",
    "gaussian/entanglement.py": "entanglement",
    "gaussian/entropies.py": "gaussian properties accuracy",
    "gaussian/moments.py": "gaussian properties accuracy",
    "gaussian/phase_space.py": "entanglement photon_statistics",
    "gaussian/photons.py": "photon_statistics",
    "motion/correlations.py": "correlations",
    "motion/evolution.py": "evolution",
    "motion/ports.py": "ports",
    "motion/relaxation.py": "relaxation",
    "motion/spectra.py": "spectra_of_motion",
    "observables.py": "observables comparison criticality",
    "optimization.py": "optimization",
    "oscillators.py": "equations critical_points properties bad_input",
    "pairs.py": "identities critical_points properties validity_map",
    "papers/konopik_lutz/flat_rates.py": "equations properties degenerate",
    "positivity.py": "family family_witnesses dynamics",
    "spectra/analytic.py": "spectra exact_baths principal_values",
    "spectra/base.py": "spectra exact_baths principal_values",
    "spectra/fitted.py": "spectra exact_baths principal_values",
    "thermodynamics/currents.py": "thermodynamics family",
    "thermodynamics/energies.py": "thermodynamics",
    "thermodynamics/transport.py": "thermodynamics",
}
NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED
# They test speed, storage, or the reference alone: what only they find is not found.
ELSEWHERE = ("compiled", "benchmarks", "examples", "reference", "sweep")

# Names whose exchange is wrong physics. Where only a suffix differs, see `_partner`.
PAIRS = [
    "x p", "xx pp", "xp px", "u v", "j k", "v w", "x_h p_h", "x_l p_l", "x_hh p_hh", "x_hl p_hl",
    "det_v det_w", "potential kinetic", "det_potential det_kinetic", "position momentum",
    "exchange pairing", "inverse_potential inverse_kinetic", "potential_matrix kinetic_matrix",
    "low high", "omega_h omega_l", "slow fast", "slowest fastest", "large small", "own other",
    "real imag", "re im", "minimum maximum", "min max", "argmin argmax", "cos sin",
    "cosine sine", "total difference", "squares product", "damping temperature", "left right",
    "up down", "eta chi", "even odd", "squeezed sheared", "stiffness inertia", "mean normal",
    "drop_p drop_s", "gain_upper gain_lower", "alpha beta", "first second", "upper lower",
    "constant resonances", "critical geometric_mean", "nodes weights", "offset measure",
    "frequency detuning", "delta earlier", "decay turn", "start stop", "static oscillating",
    "base slope", "value slope",
]  # fmt: skip

# Settings that change how fast a result comes, or from where on it is taken from a series.
TUNING = re.compile(
    r"_(FEW|DENSE|SMALL|BLOCK|TOGETHER|TRIAL_STEPS|KRYLOV_STEPS|ALL_PAIRS|SAMPLES|FAR_SAMPLES"
    r"|DECADES|NEAR|FARTHEST|BISECTIONS|NEWTON_STEPS|POINTS|ROUNDS|LOW|MIDDLE|HIGH|RULES"
    r"|END_CORRECTION|MATSUBARA_INDEX|MATSUBARA_WEIGHTS|GAUSS|EDGES)\b"
)
# Whole numbers that only count: sizes, indices, steps.
COUNTS = {
    "modes",
    "size",
    "index",
    "count",
    "steps",
    "mode",
    "quadrature",
    "unknowns",
    "power",
    "i",
}

# Faults that change no result, with the reason: (file, line before, line after).
EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "_kernels/many_modes.py",
        "potential = jnp.diag(frame.frequency) "
        "+ x.T @ (potential - jax.lax.stop_gradient(potential)) @ x",
        "potential = jnp.diag(frame.frequency) "
        "+ x.T @ (potential - jax.lax.stop_gradient(kinetic)) @ x",
    ): "only its derivative is used: the frame solves the equation",
    (
        "dynamics.py",
        "allowed = 1e-2 * (size + size.T + np.abs(noise))",
        "allowed = 1e-2 * (size + size.T - np.abs(noise))",
    ): "an allowance that what is right stays far below and what is wrong exceeds as far",
    (
        "_numerics/instability.py",
        "accepted = residual <= 64 * eps * size * magnitude",
        "accepted = residual <= 64 * eps * size / magnitude",
    ): "the magnitude is of order one in the natural unit",
    (
        "_numerics/entropy.py",
        "near = weak & (80 * gap**2 < q0 * q0) & (80 * d < q * q) & (2 * roots < s)",
        "near = weak & (80 * gap**1 < q0 * q0) & (80 * d < q * q) & (2 * roots < s)",
    ): "where one form of the information takes over from another that holds there as well",
    (
        "_numerics/lyapunov.py",
        "symmetric = (diffusion + diffusion.T) / 2",
        "symmetric = (diffusion + diffusion) / 2",
    ): "a diffusion is symmetric; this only keeps it so in a derivative",
    (
        "_numerics/entropy.py",
        "rest = matrix[i, j]",
        "rest = matrix[j, i]",
    ): "a covariance is symmetric",
    (
        "_numerics/entropy.py",
        "weak = (lower0 > 0) & (8 * jnp.abs(gain_lower) < lower0) & (8 * jnp.abs(drop_p) < a * b)",
        "weak = (lower0 > 0) & (4 * jnp.abs(gain_lower) < lower0) & (8 * jnp.abs(drop_p) < a * b)",
    ): "where one form of the information takes over from another that holds there as well",
    (
        "_kernels/network_thermal.py",
        "return jnp.max(jnp.sum(jnp.abs(matrix), axis=-1))",
        "return jnp.max(jnp.sum(jnp.abs(matrix), axis=1))",
    ): "the last axis of a matrix is its axis 1",
    (
        "_kernels/pair_langevin.py",
        "x2p2=2 * mu2.im,",
        "x2p2=2 * mu1.im,",
    ): "both are zero in the Langevin equation",
    (
        "_kernels/selection.py",
        "j, k = exchange[0, 1], pairing[0, 1]",
        "j, k = exchange[1, 0], pairing[0, 1]",
    ): "a matrix of couplings is symmetric",
    (
        "_kernels/few_modes.py",
        "rows = np.stack([np.stack(blocks[:2], axis=-1), np.stack(blocks[2:], axis=-1)], axis=-2)",
        "rows = np.stack([np.stack(blocks[:2], axis=-1), np.stack(blocks[2:], axis=-1)], axis=2)",
    ): "the last axis but one of four is axis 2",
    (
        "_kernels/coloured.py",
        "earliest = jnp.min(jnp.where(times > 0, times, jnp.inf))",
        "earliest = jnp.max(jnp.where(times > 0, times, jnp.inf))",
    ): "how far the nodes are dense: beyond, a Gauss rule has the same digits at early times",
    (
        "spectra/fitted.py",
        "decades = (3 if single else 6) / exponent + min(max(exponent - 1, 0), 1)",
        "decades = (3 if single else 6) / exponent + min(max(exponent , 0), 1)",
    ): "how far down a fit reaches: a decade more has the same digits",
    (
        "_numerics/dispersion.py",
        "return math.log(_DIGITS + 2 * exponent * math.log(_DIGITS))",
        "return math.log(_DIGITS + 2 / exponent * math.log(_DIGITS))",
    ): "how far up the nodes reach, to whole steps and one more: the same to s = 3",
    (
        "_numerics/instability.py",
        "low = jnp.where(first > 0, grid[jnp.maximum(first - 1, 0)], 0)",
        "low = jnp.where(first > 0, grid[jnp.maximum(- 1, 0)], 0)",
    ): "a wider bracket of the same crossing, which is polished after",
    (
        "_numerics/eigenvalues.py",
        "deflated = matrix - value * one + vector[:, None] * vector[None, :]",
        "deflated = matrix - value * one - vector[:, None] * vector[None, :]",
    ): "what it is solved for has no part along the vector",
    (
        "_numerics/linear.py",
        "if not isinstance(size, int) or size <= block:",
        "if not isinstance(size, int) or size > block:",
    ): "in blocks or in one piece, each member is the same; it bounds the memory",
    (
        "_numerics/bogoliubov.py",
        "mean, size = mean[place], (jnp.abs(turn) ** 2).T @ size",
        "mean, size = mean[place], (jnp.abs(turn) ** 2) @ size",
    ): "symmetric in a group of two; in larger ones the sizes of degenerate modes, of one order",
    (
        "_numerics/filters.py",
        "along = jnp.sum(u * h, axis=-1)[:, None, None] * h[:, :, None] * h[:, None, :]",
        "along = jnp.sum(u * h, axis=1)[:, None, None] * h[:, :, None] * h[:, None, :]",
    ): "the last axis of a matrix is its axis 1",
    (
        "_numerics/rational_fit.py",
        "fit = fit._replace(real=np.append(fit.real, -self.square[0] * _BELOW**2))",
        "fit = fit._replace(real=np.append(fit.real, -self.square[1] * _BELOW**2))",
    ): "places below the table, for which its second sample is as good a unit",
    (
        "_kernels/flow.py",
        "change = tangents[1] + tangents[2]",
        "change = tangents[1]",
    ): "the second number of an entry is what the first one rounds off: it has no slope",
    (
        "_numerics/entropy.py",
        "unit = power_of_two(jax.lax.stop_gradient(_largest_variance(covariance)) / 2)",
        "unit = power_of_two(jax.lax.stop_gradient(_largest_variance(covariance)) / 1)",
    ): "any power of two of that size keeps products in range, and none rounds",
    (
        "_numerics/small.py",
        "if isinstance(given, (list, tuple)) and all(np.ndim(entry) == 0 for entry in given):",
        "if isinstance(given, (list, tuple)) and all(np.ndim(entry) != 0 for entry in given):",
    ): "of what does not vary more is computed at every point, the same numbers",
}


@dataclass(frozen=True)
class Fault:
    """One edit of one file, of the bytes from `start` to `stop`."""

    number: int
    file: str
    line: int
    kind: str
    start: int
    stop: int
    text: str
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is, wherever its line moves to."""
        return self.file, self.before.strip(), self.after.strip()

    def planted(self, data: bytes) -> bytes:
        """The contents of the file with the fault in them."""
        return data[: self.start] + self.text.encode() + data[self.stop :]

    def is_real(self) -> bool:
        """Whether the file with the fault is Python, and says something else."""
        data = (ROOT / "jaxosc" / self.file).read_bytes()
        try:
            return ast.dump(ast.parse(self.planted(data))) != ast.dump(ast.parse(data))
        except SyntaxError:
            return False

    def diff(self) -> str:
        """As a unified diff without context."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), lineterm="", n=0
        )
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        title = f"#{self.number} jaxosc/{self.file}:{self.line} ({self.kind})"
        return "\n".join([title, *(f"    {line}" for line in changed)])


class _Source:
    """The text of a file, with the places of its nodes in bytes."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.tree = ast.parse(self.data)
        starts = [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        self.starts = starts

    def span(self, node: ast.AST) -> tuple[int, int]:
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def text(self, node: ast.AST) -> str:
        start, stop = self.span(node)
        return self.data[start:stop].decode()

    def operator(self, start: int, stop: int) -> tuple[int, int]:
        """Where the operator between two operands stands."""
        gap = self.data[start:stop]
        gap = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment.group()), gap)
        token = re.search(rb"[^\s()]+", gap)
        return start + token.start(), start + token.end()

    def lines(self, start: int, stop: int) -> tuple[int, str]:
        """The number of the first of the lines around a place, and their text."""
        begin = self.data.rfind(b"\n", 0, start) + 1
        end = self.data.find(b"\n", stop)
        number = self.data.count(b"\n", 0, start) + 1
        return number, self.data[begin : end if end >= 0 else None].decode()


def all_faults(root: Path) -> list[Fault]:
    """Every fault of every module, in the order of the files and lines."""
    faults: list[Fault] = []
    for file in sorted(TESTS):
        source = _Source(root / "jaxosc" / file)
        edits = {(*edit[1:], edit[0]): edit for edit in _edits(source)}
        seen = set()
        for kind, start, stop, text in sorted(edits.values(), key=lambda edit: edit[1:]):
            if (start, stop, text) in seen:
                continue
            seen.add((start, stop, text))
            line, before = source.lines(start, stop)
            offset = source.data.rfind(b"\n", 0, start) + 1
            lines = before.encode()
            after = lines[: start - offset] + text.encode() + lines[stop - offset :]
            faults.append(
                Fault(len(faults), file, line, kind, start, stop, text, before, after.decode())
            )
    return faults


Edit = tuple[str, int, int, str]


def _edits(source: _Source) -> Iterator[Edit]:
    """(kind, start, stop, new text) of every fault of a file."""
    attributes = {n.attr for n in ast.walk(source.tree) if isinstance(n, ast.Attribute)}
    for scope, node in _physics(source):
        if isinstance(node, ast.BinOp):
            yield from _operations(source, node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            start, stop = source.operator(source.span(node.target)[1], source.span(node.value)[0])
            yield "sign", start, stop, "-=" if isinstance(node.op, ast.Add) else "+="
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            start, _ = source.span(node)
            yield "sign", start, start + 1, ""
        elif isinstance(node, ast.Compare):
            yield from _comparisons(source, node)
        elif isinstance(node, ast.Subscript):
            yield from _indices(source, node)
        elif isinstance(node, ast.Attribute):
            stop = source.span(node)[1]
            if node.attr == "T":
                yield "index", stop - 2, stop, ""
            partner = _partner(node.attr, attributes)
            if partner and isinstance(node.ctx, ast.Load):
                yield "pair", stop - len(node.attr), stop, partner
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            start, stop = source.span(node.func)[1], source.span(node)[1]
            if node.func.attr in ("conj", "times_i"):
                yield "sign", start - len(node.func.attr) - 1, stop, ""
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            known = {name for name, line in scope.items() if line < node.lineno}
            partner = _partner(node.id, known)
            if partner:
                yield "pair", *source.span(node), partner


def _physics(source: _Source) -> Iterator[tuple[dict[str, int], ast.AST]]:
    """Nodes of expressions that compute, each with the names known to it and since which line."""

    def known_in(node: ast.AST) -> dict[str, int]:
        names: dict[str, int] = {}
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                names[child.id] = min(names.get(child.id, child.lineno), child.lineno)
            elif isinstance(child, ast.FunctionDef) and child is not node:
                names[child.name] = child.lineno
        arguments = getattr(node, "args", None)
        if isinstance(arguments, ast.arguments):
            for argument in (*arguments.args, *arguments.kwonlyargs):
                names[argument.arg] = 0
        return names

    def skipped(node: ast.AST) -> bool:
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Assert)):
            return True
        if isinstance(node, ast.If) and all(isinstance(line, ast.Raise) for line in node.body):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "dtype":
            return True  # all of a network have one
        if isinstance(node, ast.FunctionDef):
            return "require" in node.name or node.name in ("_groups", "_indices", "_checks")
        if isinstance(node, ast.Call):
            text = source.text(node.func)
            return text.startswith("_checks.") or text.endswith(
                ("range", "cumsum", "eval_shape", "zeros_like", "ones_like", "full_like", "finfo")
            )
        if isinstance(node, ast.AugAssign):
            return isinstance(node.value, (ast.List, ast.ListComp, ast.IfExp))
        if isinstance(node, (ast.Assign, ast.Compare)):
            text = source.text(node)
            return bool(TUNING.search(text)) or (
                isinstance(node, ast.Compare) and bool(re.search(r"\.shape|\blen\(|\.modes", text))
            )
        return isinstance(node, ast.Subscript) and source.text(node.value).endswith(
            (".shape", "tuple", "Callable", "dict", "list", "Sequence", "Square")
        )

    def walk(node: ast.AST, scope: dict[str, int]) -> Iterator[tuple[dict[str, int], ast.AST]]:
        if skipped(node):
            return
        yield scope, node
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            body = node.body if isinstance(node.body, list) else [node.body]
            inner = {name: 0 for name in scope} | known_in(node)
            for child in body:
                yield from walk(child, inner)
            return
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "decorator_list", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child, scope)

    module = {n.name: 0 for n in source.tree.body if isinstance(n, ast.FunctionDef)}
    for statement in source.tree.body:
        if isinstance(statement, ast.ImportFrom):
            module |= {alias.asname or alias.name: 0 for alias in statement.names}
    for statement in source.tree.body:
        yield from walk(statement, module)


def _is_number(node: ast.AST, *values: float) -> bool:
    return (
        isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and (node.value in values)
    )


def _counts(node: ast.AST) -> bool:
    """Whether an operand is a size or an index, not a quantity."""
    return isinstance(node, ast.Name) and node.id in COUNTS


def _operations(source: _Source, node: ast.BinOp) -> Iterator[Edit]:
    begin, end = source.span(node)
    start, stop = source.operator(source.span(node.left)[1], source.span(node.right)[0])
    if _counts(node.left) or _counts(node.right):
        return
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield "sign", start, stop, "-" if isinstance(node.op, ast.Add) else "+"
        constant = _is_number(node.left, 1, 0.5) or _is_number(node.right, 1, 0.5)
        kind = "vacuum" if constant else "term"
        yield kind, start, end, ""
        if not isinstance(node.left, ast.BinOp) or not isinstance(node.left.op, (ast.Add, ast.Sub)):
            yield kind, begin, stop if isinstance(node.op, ast.Add) else start, ""
    elif isinstance(node.op, (ast.Mult, ast.Div)):
        yield "product", start, stop, "/" if isinstance(node.op, ast.Mult) else "*"
        for operand in (node.left, node.right):
            if _is_number(operand, 2, 4, 8, 0.5, 0.25):
                value = {2: "1", 4: "2", 8: "4", 0.5: "1.0", 0.25: "0.5"}[operand.value]
                yield "factor", *source.span(operand), value
    elif isinstance(node.op, ast.Pow) and _is_number(node.right, 2, 4):
        yield "power", *source.span(node.right), "1" if node.right.value == 2 else "3"


OPPOSITE = {ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "=="}


def _comparisons(source: _Source, node: ast.Compare) -> Iterator[Edit]:
    if len(node.ops) == 1 and type(node.ops[0]) in OPPOSITE:
        operands = node.left, node.comparators[0]
        if any(isinstance(o, ast.Constant) and isinstance(o.value, str) for o in operands):
            return
        start, stop = source.operator(source.span(operands[0])[1], source.span(operands[1])[0])
        yield "comparison", start, stop, OPPOSITE[type(node.ops[0])]


def _indices(source: _Source, node: ast.Subscript) -> Iterator[Edit]:
    index = node.slice
    start, stop = source.span(index)
    if _is_number(index, 0, 1):
        yield "index", start, stop, str(1 - index.value)
    elif isinstance(index, ast.Slice) and _is_number(index.step or index, 2):
        if _is_number(index.lower or index, 0, 1):
            yield "index", start, start + 1, str(1 - index.lower.value)
    elif isinstance(index, ast.Tuple):
        texts = [source.text(part) for part in index.elts]
        if len(texts) == 2 and texts[0] != texts[1]:
            yield "index", start, stop, ", ".join(reversed(texts))
        for part in index.elts:
            if _is_number(part, 0, 1):
                yield "index", *source.span(part), str(1 - part.value)
    elif isinstance(node.value, ast.Subscript) and isinstance(index, ast.Name):
        inner = node.value.slice
        if isinstance(inner, ast.Name) and inner.id != index.id:
            begin = source.span(inner)[0]
            yield "index", begin, stop, f"{index.id}][{inner.id}"


PARTNER = {
    name: other
    for pair in PAIRS
    for name, other in (pair.split(), reversed(pair.split()))
}  # fmt: skip


def _partner(name: str, known: set[str]) -> str | None:
    """The name that this one may be taken for, if there is one."""
    candidates = [PARTNER[name]] if name in PARTNER else []
    # omega1 and omega2, x11 and x22, g1_bath1 and g2_bath2, det_v and det_w
    candidates += [re.sub("[12]", lambda digit: "21"[int(digit.group()) - 1], name)]
    if name.endswith(("_v", "_w")):
        candidates.append(name[:-1] + ("w" if name.endswith("v") else "v"))
    return next((other for other in candidates if other != name and other in known), None)


def spread(faults: list[Fault], seed: int) -> list[Fault]:
    """In an order whose beginning of any length is spread over the modules and kinds."""
    generator = random.Random(seed)
    cells: dict[tuple[str, str], list[Fault]] = collections.defaultdict(list)
    for fault in faults:
        cells[fault.file, fault.kind].append(fault)
    placed = []
    for cell in cells.values():
        generator.shuffle(cell)
        # A cell is drawn from as often as the root of its size
        shift = generator.random()
        placed += [((n + shift) / math.sqrt(len(cell)), fault) for n, fault in enumerate(cell)]
    return [fault for _, fault in sorted(placed, key=lambda pair: (pair[0], pair[1].number))]


# Placed beside the copy of the package: the tests see the copy, and the quickest come first.
CONFTEST = """
import json
import time
from pathlib import Path

import jaxosc

HERE = Path(__file__).parent
assert Path(jaxosc.__file__).parent == HERE / "jaxosc", jaxosc.__file__


def pytest_collection_modifyitems(items):
    seconds = json.loads((HERE / "seconds.json").read_text())
    items.sort(key=lambda item: seconds.get(item.nodeid, 0))


def pytest_unconfigure():
    with (HERE / "processor.txt").open("a") as file:
        print(time.process_time(), file=file)
"""


class Bench:
    """Copies of the repository, and the tests run in them."""

    def __init__(self, folder: Path, limit: float) -> None:
        self.folder, self.limit = folder, limit
        self.tree, self.cache = folder / "tree", folder / "cache"
        self.running: set[subprocess.Popen] = set()

    def stop(self) -> None:
        """End the tests that are running."""
        for process in list(self.running):
            process.terminate()

    def prepare(self) -> None:
        """Run the tests without a fault: they must pass, and tell how long each takes.

        What is compiled for it is kept, and each file is run again only after a change.
        """
        self.cache.mkdir(parents=True, exist_ok=True)
        for left in (self.tree, *self.folder.glob("fault-*")):
            shutil.rmtree(left, ignore_errors=True)
        ignored = shutil.ignore_patterns("__pycache__", ".git", ".*cache", ".hypothesis", "*.zarr")
        shutil.copytree(ROOT, self.tree, ignore=ignored)
        (self.tree / "conftest.py").write_text(CONFTEST)
        (self.tree / "seconds.json").write_text("{}")
        path = self.folder / "sound.json"
        sound = json.loads(path.read_text()) if path.exists() else {}
        files = self.test_files()
        states = {file: self._state(file) for file in files}
        changed = [file for file in files if sound.get(file, {}).get("state") != states[file]]
        for file in tqdm(changed, desc="Tests without a fault", unit="file"):
            done, _ = self._pytest(self.tree, self.cache, [file], ["--durations=0", "-vv"])
            if done.returncode:
                raise SystemExit(f"They fail without any fault:\n{done.stdout}{done.stderr}")
            seconds: dict[str, float] = collections.defaultdict(float)
            for took, name in re.findall(r"^([\d.]+)s (?:call|setup) +(\S.*)$", done.stdout, re.M):
                seconds[name] += float(took)
            sound[file] = {"state": states[file], "seconds": seconds}
            path.write_text(json.dumps(sound))
        seconds = {name: took for file in files for name, took in sound[file]["seconds"].items()}
        (self.tree / "seconds.json").write_text(json.dumps(seconds))
        (self.tree / "processor.txt").unlink(missing_ok=True)  # each fault has its own

    def test_files(self) -> list[str]:
        """All that say something about physics."""
        files = sorted(path.name for path in (self.tree / "tests").glob("test_*.py"))
        apart = tuple(f"test_{name}" for name in ELSEWHERE)
        return [f"tests/{name}" for name in files if not name.startswith(apart)]

    def examine(self, fault: Fault) -> dict:
        """What the tests make of a fault."""
        started = time.monotonic()
        every = self.test_files()
        first = [f"tests/test_{name}.py" for name in TESTS[fault.file].split()]
        first = [file for file in first if file in every]
        rest = [file for file in every if file not in first]
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="fault-") as folder:
            # Links, but for the file at fault; what is compiled for the fault stays here
            tree, cache = Path(folder, "tree"), Path(folder, "cache")
            shutil.copytree(self.tree, tree, copy_function=os.link)
            shutil.copytree(self.cache, cache, copy_function=os.link)
            path = tree / "jaxosc" / fault.file
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(fault.planted(data))
            done, complete = self._pytest(tree, cache, first, ["-x"])
            if not done.returncode:
                done, complete = self._pytest(tree, cache, rest, ["-x"], self.limit)
            if not done.returncode:
                added = ["-x", "-m", "slow and not nightly"]
                done, in_time = self._pytest(tree, cache, first, added, self.limit)
                complete &= in_time
            spent = tree / "processor.txt"
            processor = map(float, spent.read_text().split()) if spent.exists() else ()
        outcome, test = "survived", ""
        if done.returncode < 0:
            raise RuntimeError(f"The tests of fault {fault.number} were killed.")
        if done.returncode:
            outcome = "hung" if "Timeout (" in done.stderr else "found"
            named = re.search(r"^(?:FAILED|ERROR) (.*)", done.stdout, re.M)
            test = named.group(1) if named else done.stdout[-200:] + done.stderr[-200:]
        return {
            "outcome": outcome,
            "complete": complete,
            "test": test,
            "seconds": time.monotonic() - started,
            "processor": sum(processor),
            "fault": vars(fault),
        }

    def _pytest(
        self,
        tree: Path,
        cache: Path,
        files: list[str],
        options: list[str],
        seconds: float | None = None,
    ) -> tuple[subprocess.CompletedProcess, bool]:
        """How the tests ended, and whether they did within so many seconds."""
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=line", "-m", "not slow",
            "-p", "no:cacheprovider", "-o", f"faulthandler_timeout={self.limit}",
            "-o", "faulthandler_exit_on_timeout=true", *options, *files,
        ]  # fmt: skip
        environment = os.environ | {
            "PYTHONPATH": str(tree),
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.add(process)
        try:
            output = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return subprocess.CompletedProcess(command, 0), False
        finally:
            self.running.discard(process)
        # Where a leg has no tests of a file, none fails.
        code = 0 if process.returncode == NO_TESTS else process.returncode
        return subprocess.CompletedProcess(command, code, *output), True

    def _state(self, file: str) -> str:
        """A number for everything that a test file depends on."""
        shared = (path for path in self.tree.glob("tests/*.py") if path.name[:5] != "test_")
        package = self.tree.glob("jaxosc/**/*.py")
        digest = hashlib.sha256()
        for path in sorted({*package, *shared, self.tree / file} - {self.tree / SELF}):
            digest.update(f"{path.relative_to(self.tree)}\n".encode() + path.read_bytes())
        return digest.hexdigest()


def report(records: list[dict]) -> str:
    """Tables by module and by kind, the percentage found, and the survivors."""
    faults = [Fault(**record["fault"]) for record in records]
    outcomes = [
        "equivalent" if r["outcome"] == "survived" and f.key in EQUIVALENT else r["outcome"]
        for f, r in zip(faults, records, strict=True)
    ]
    names = ("found", "hung", "survived", "equivalent")
    lines = []
    for title, group in (("module", lambda f: f.file), ("kind", lambda f: f.kind)):
        table = collections.defaultdict(collections.Counter)
        for fault, outcome in zip(faults, outcomes, strict=True):
            table[group(fault)][outcome] += 1
            table["all"][outcome] += 1
        lines.append(f"{title:32}" + "".join(f"{name:>12}" for name in names))
        for row, counts in sorted(table.items(), key=lambda item: (item[0] == "all", item[0])):
            lines.append(f"{row:32}" + "".join(f"{counts[name]:12}" for name in names))
        lines.append("")
    counts = collections.Counter(outcomes)
    caught, total = counts["found"] + counts["hung"], len(outcomes)
    times, processor = ([record[what] for record in records] for what in ("seconds", "processor"))
    lines += [
        f"Found: {caught} of {total} faults, {caught / max(total, 1):.1%}; of those that change a "
        f"result {caught / max(total - counts['equivalent'], 1):.1%}.",
        f"Seconds a fault: median {statistics.median(times):.0f}, most {max(times):.0f}; "
        f"of processor time {statistics.median(processor):.0f} and {max(processor):.0f}.",
    ]
    cut = sum(not record["complete"] for record in records)
    lines += [f"Of the survivors {cut} did not go through all the tests in time."] if cut else []
    for name in ("survived", "equivalent", "hung"):
        chosen = [f for f, outcome in zip(faults, outcomes, strict=True) if outcome == name]
        lines += ["", f"{name.capitalize()}:"] if chosen else []
        for fault in chosen:
            lines.append(fault.diff())
            if name == "equivalent":
                lines.append(f"    {EQUIVALENT[fault.key]}")
    return "\n".join(lines)


def main() -> None:
    """Draw, plant, run, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=120, help="how many faults (120)")
    parser.add_argument("--seed", type=int, default=1, help="which of them (1)")
    parser.add_argument("--list", action="store_true", help="show them without running")
    parser.add_argument("--only", metavar="FILE", help="all faults of one file, such as baths.py")
    parser.add_argument("--fault", type=int, metavar="N", help="one fault by its number")
    parser.add_argument("--workers", type=int, default=2, help="faults at a time (2)")
    parser.add_argument(
        "--limit",
        type=float,
        default=600,
        help="seconds for one test, and for those of other modules (600)",
    )
    parser.add_argument("--resume", action="store_true", help="keep the results there are")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir(), "jaxosc-faults"),
        help="where copies and results go (jaxosc-faults among the temporary files)",
    )
    options = parser.parse_args()

    faults = all_faults(ROOT)
    if options.fault is not None:
        chosen = [faults[options.fault]]
    elif options.only:
        chosen = [
            fault for fault in faults if fault.file.endswith(options.only) and fault.is_real()
        ]
    else:
        drawn = filter(Fault.is_real, spread(faults, options.seed))
        chosen = list(itertools.islice(drawn, options.count))
    if options.list:
        for fault in chosen:
            print(fault.diff())
        print(f"{len(chosen)} of {len(faults)} faults")
        return

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped; --resume goes on from here."))
    bench = Bench(options.folder, options.limit)
    pool = concurrent.futures.ThreadPoolExecutor(options.workers)
    try:
        bench.prepare()
        if options.fault is not None:
            records = [bench.examine(chosen[0])]
        else:
            name = f"only-{Path(options.only).stem}" if options.only else "results"
            results = options.folder / f"{name}.jsonl"
            records = run(bench, pool, chosen, results, options.resume)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        bench.stop()
    print(report(records))


def run(
    bench: Bench,
    pool: concurrent.futures.Executor,
    chosen: list[Fault],
    results: Path,
    resume: bool,
) -> list[dict]:
    """The records of the faults, each written down as soon as it is there."""
    text = results.read_text(encoding="utf-8") if resume and results.exists() else ""
    # A run that was killed may have left half a line.
    kept = [json.loads(line) for line in text.splitlines() if line.endswith("}}")]
    known = {_place(Fault(**record["fault"])): record for record in kept}
    records = [known[_place(fault)] for fault in chosen if _place(fault) in known]
    runs = [pool.submit(bench.examine, fault) for fault in chosen if _place(fault) not in known]
    with results.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in kept)
        file.flush()
        done = concurrent.futures.as_completed(runs)
        for future in tqdm(done, total=len(runs), unit="fault"):
            records.append(future.result())
            file.write(json.dumps(records[-1]) + "\n")
            file.flush()
    return records


def _place(fault: Fault) -> tuple[str, int, str, str, str]:
    """What tells one fault from another, also between runs."""
    return fault.file, fault.start, fault.text, fault.before, fault.after


if __name__ == "__main__":
    main()
