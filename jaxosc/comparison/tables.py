"""Tables in plain text and HTML."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np

WIDTH = 100
_SYMBOLS = (
    (r"^occupation(\d+)$", r"n\1"),
    (r"^coherence_(?=real|imag)", r"coherence1_2_"),
    (r"^coherence(\d+_\d+)_real$", r"Re c\1"),
    (r"^coherence(\d+_\d+)_imag$", r"Im c\1"),
    (r"^heat(\d+)$", r"Q\1"),
    (r"^squeezing(\d+)$", r"dB\1"),
    (r"^number_covariance(\d+_\d+)$", r"Cov\1"),
    (r"^number_covariance$", "Cov"),
    (r"^negativity$", "E_N"),
    (r"^steering$", "G"),
    (r"^ergotropy$", "W"),
    (r"^spectral_gap$", "gap"),
    (r"^squeezing$", "dB"),
    (r"^occupation$", "n"),
    (r"^coherence$", "c"),
    (r"^information$", "I"),
    (r"^entropy$", "S"),
    (r"^heat_currents$", "Q"),
)
_LEGEND = {
    "occupation": "n: occupation",
    "coherence": "c: <a_j+ a_k>",
    "information": "I: mutual information of oscillator 1 and the rest",
    "negativity": "E_N: logarithmic negativity of oscillator 1 and the rest",
    "steering": "G: steering of the rest by oscillator 1",
    "entropy": "S: entropy",
    "squeezing": "dB: squeezing",
    "number_covariance": "Cov: <n_j n_k> - <n_j><n_k>",
    "ergotropy": "W: Gaussian ergotropy",
    "spectral_gap": "gap: slowest rate of the motion",
    "heat_currents": "Q: heat current from a bath into the oscillators",
}
_COLUMNS = (
    "CP: whether the generator is completely positive; production: of entropy; cost: of a steady "
    "state in a sweep, that of local = 1."
)


def legend(observables: Iterable[str]) -> str:
    """What the heads of columns mean."""
    return "; ".join([*(_LEGEND[each] for each in observables if each in _LEGEND), _COLUMNS])


def number(value: float, digits: int = 4) -> str:
    """A number of so many digits, or a dash where there is none."""
    return "-" if np.isnan(value) else f"{value:.{digits}g}"


def symbol(name: str) -> str:
    """The short name of a number, as the head of a column."""
    for pattern, short in _SYMBOLS:
        name = re.sub(pattern, short, name)
    return name


def verdict(value: bool | None, unknown: str = "-") -> str:
    """Yes, no, or neither."""
    return unknown if value is None else ("yes" if value else "NO")


def plain(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, the first to the left; in several blocks where they are too wide."""
    columns = [[title, *cells] for title, *cells in zip(header, *rows, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    blocks: list[list[int]] = [[]]
    used = widths[0]
    for index in range(1, len(columns)):
        if used + 2 + widths[index] > WIDTH and blocks[-1]:
            blocks.append([])
            used = widths[0]
        blocks[-1].append(index)
        used += 2 + widths[index]
    lines = []
    for block in blocks:
        for row in range(len(rows) + 1):
            cells = [columns[0][row].ljust(widths[0])]
            cells += [columns[index][row].rjust(widths[index]) for index in block]
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    return "\n".join(lines[:-1])


def paragraph(name: str, words: str) -> str:
    """``name: words``, its further lines indented."""
    return wrapped(f"{name}: {words}")


def wrapped(words: str) -> str:
    """Lines of the width, all but the first indented."""
    return textwrap.fill(words, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def markup(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; cells may be marked up already."""
    head = "".join(f"<th>{html.escape(title)}</th>" for title in header)
    body = "".join(
        f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
