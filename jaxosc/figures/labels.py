"""Numbers on contour lines that do not collide: with lines, with each other, with the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

# Room around a number, in parts of the height of its text, and between the numbers of one line.
_MARGIN = 0.35
_APART = 22.0
# Places that are tried along a line, at most.
_PLACES = 120


class Contour(NamedTuple):
    """One line, whole or in pieces.

    Attributes:
        pieces: each [n, 2], in the coordinates of the data.
        text: what is to stand on it.
        colour: of line and number.
    """

    pieces: Sequence[np.ndarray]
    text: str
    colour: Any


def label_contours(axes: Axes, contours: Sequence[Contour], taken: Sequence[Bbox]) -> list[Text]:
    """Put numbers on lines wherever there is room, one on each piece at most.

    Call it when everything else has its place: the room is that on the canvas.

    Args:
        axes: where the lines are.
        contours: those with the fewest points are served first, for they have the least room.
        taken: boxes, in pixels, that have to stay clear.

    Returns:
        The numbers, upright, each in the middle of the widest gap around its line.
    """
    paths = [
        [axes.transData.transform(piece) for piece in each.pieces if len(piece) > 1]
        for each in contours
    ]
    lines = [_filled(np.concatenate(pieces)) if pieces else np.empty((0, 2)) for pieces in paths]
    dots = [(len(piece), number, piece) for number, pieces in enumerate(paths) for piece in pieces]
    occupied = list(taken)
    texts = []
    for _, number, piece in sorted(dots, key=lambda entry: entry[0]):
        text = axes.text(
            0.5, 0.5, contours[number].text, color=contours[number].colour, fontsize=9,
            ha="center", va="center_baseline", zorder=6, clip_on=True,
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
        others = np.concatenate(lines[:number] + lines[number + 1 :] + [np.empty((0, 2))])
        place = _place(axes, text, piece, others, occupied)
        if place is None:
            text.remove()
            continue
        x, y = axes.transData.inverted().transform(place)
        text.set_position((float(x), float(y)))
        occupied.append(_box(text))
        texts.append(text)
    return texts


def _box(text: Text) -> Bbox:
    box = text.get_window_extent()
    margin = _MARGIN * box.height
    return Bbox.from_extents(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin)


def _place(
    axes: Axes, text: Text, piece: np.ndarray, others: np.ndarray, occupied: Sequence[Bbox]
) -> np.ndarray | None:
    """The point of the line with the most room for the text, in pixels; None if it has none."""
    size = _box(text)
    half = np.array([size.width, size.height]) / 2
    frame = axes.get_window_extent()
    points = _filled(piece)
    if len(points) < 2 or np.ptp(points, axis=0).max() < 2 * half.max():
        return None
    points = points[:: max(1, len(points) // _PLACES)]
    inside = ((points - half > frame.min) & (points + half < frame.max)).all(axis=1)
    sizes = np.array([[box.width, box.height] for box in occupied]).reshape(-1, 1, 2) / 2
    centres = np.array([[box.x0 + box.x1, box.y0 + box.y1] for box in occupied])
    # How far the text stays from each box, and below from what is nearest.
    gaps = np.abs(points - centres.reshape(-1, 1, 2) / 2) - half - sizes
    inside &= (gaps.max(axis=-1) > 0).all(axis=0)
    points, gaps = points[inside], gaps[:, inside]
    if not len(points):
        return None
    room = np.minimum(points - half - frame.min, frame.max - points - half).min(axis=1)
    if len(others):
        beyond = np.abs(points[:, None, :] - others[None, :, :]) - half
        room = np.minimum(room, beyond.max(axis=-1).min(axis=1))
    room = np.minimum(room, gaps.max(axis=-1).min(axis=0, initial=np.inf))
    best = int(np.argmax(np.minimum(room, _APART)))
    return points[best] if room[best] > 0 else None


def _filled(path: np.ndarray) -> np.ndarray:
    """The path with points two pixels apart, whatever the distance of its own."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0:
        return path[:1]
    places = np.linspace(0, along[-1], 2 + int(along[-1] / 2))
    return np.stack([np.interp(places, along, path[:, axis]) for axis in (0, 1)], axis=1)
