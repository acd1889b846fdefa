"""Draw the plots of docs/performance.md: an SVG for the light theme, and one for the dark theme.

The same figures give the same bytes: the ids in an SVG come from a fixed salt, and it has no date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["THEMES", "draw_bars", "draw_lines"]


class Theme(NamedTuple):
    """The colours of one theme: of the text and axes, of srpcore, and of the others."""

    ink: str
    grid: str
    ours: str
    others: tuple[str, ...]


THEMES = {
    "light": Theme("#333333", "#d8d8d8", "#3f51b5", ("#9e9e9e", "#c75b12", "#2e7d32", "#6a1b9a", "#00838f")),
    "dark": Theme("#e0e0e0", "#4a4d5a", "#8c9eff", ("#8a8d98", "#ffab40", "#81c784", "#ce93d8", "#4dd0e1")),
}

_FIXED = {"svg.hashsalt": "srpcore", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}


@contextmanager
def _figure(path: Path, theme: Theme, height: float) -> Iterator[Any]:
    """Yield axes without a frame, and write the figure to *path*. The background is transparent."""
    matplotlib: Any = import_module("matplotlib")
    figures: Any = import_module("matplotlib.figure")
    colours = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), theme.ink)
    with matplotlib.rc_context({**_FIXED, **colours}):
        figure = figures.Figure(figsize=(7.2, height), layout="constrained")
        axes = figure.add_subplot()
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        yield axes
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def draw_bars(folder: Path, name: str, values: Mapping[str, float], unit: str) -> None:
    """Draw a bar for each value, the first on top, on a logarithmic axis if they differ a hundredfold."""
    for theme_name, theme in THEMES.items():
        with _figure(folder / f"{name}-{theme_name}.svg", theme, 0.6 + 0.28 * len(values)) as axes:
            colours = [theme.ours if label.startswith("srpcore") else theme.others[0] for label in values]
            bars = axes.barh(range(len(values)), [*values.values()], color=colours, height=0.7)
            axes.bar_label(bars, [f"{value:,.4g}" for value in values.values()], padding=3, color=theme.ink)
            axes.set_yticks(range(len(values)), [*values])
            axes.invert_yaxis()
            if max(values.values()) > 100 * min(values.values()):
                axes.set_xscale("log")
            axes.margins(x=0.12)
            axes.grid(axis="x", color=theme.grid, linewidth=0.6)
            axes.set_xlabel(unit)


def draw_lines(
    folder: Path, name: str, lines: Mapping[str, Sequence[tuple[float, float]]], across: str, upwards: str
) -> None:
    """Draw a line for each list of points, both axes logarithmic."""
    for theme_name, theme in THEMES.items():
        with _figure(folder / f"{name}-{theme_name}.svg", theme, 3.6) as axes:
            colours = (theme.ours, *theme.others[1:], theme.others[0])
            for colour, (label, points) in zip(colours, lines.items(), strict=False):
                axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=label)
            ticks = sorted({point[0] for points in lines.values() for point in points})
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
            axes.minorticks_off()
            axes.grid(color=theme.grid, linewidth=0.6)
            axes.set_xlabel(across)
            axes.set_ylabel(upwards)
            axes.legend(frameon=False)
