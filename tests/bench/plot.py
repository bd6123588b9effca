"""The ratios of a run as a picture, where matplotlib is installed (`uv sync --group bench`)."""

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.ratios import Ratio

_INK, _QUIET, _OURS = "#1f2933", "#9aa5b1", "#2f6f8f"


def draw(file: Path, ratios: Sequence[Ratio], baseline: Mapping[str, float]) -> bool:
    """Draw each ratio as a bar on a logarithmic axis, with a tick where the base line is. Returns whether it did."""
    if not ratios or importlib.util.find_spec("matplotlib") is None:
        return False
    figures = importlib.import_module("matplotlib.figure")
    figure = figures.Figure(figsize=(9, 1.2 + 0.34 * len(ratios)), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{ratio.key}{' (less is better)' if ratio.less_is_better else ''}" for ratio in ratios]
    places = range(len(ratios))
    # Bars begin at 1, which is as much as the other side: to the right is more, to the left is less.
    axes.barh(places, [ratio.value - 1 for ratio in ratios], left=1, height=0.55, color=_OURS)
    then = [(place, baseline[ratio.key]) for place, ratio in enumerate(ratios) if ratio.key in baseline]
    axes.scatter(
        [value for _, value in then], [place for place, _ in then], marker="|", s=160, color=_INK, label="base line"
    )
    axes.axvline(1, color=_INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    for place, ratio in enumerate(ratios):
        axes.annotate(
            f"{ratio.value:.2f}",
            (max(ratio.value, baseline.get(ratio.key, 1), 1), place),
            (8, 0),
            textcoords="offset points",
            va="center",
            size=8,
        )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.margins(x=0.12)
    axes.tick_params(length=0, labelsize=9, colors=_INK)
    axes.grid(axis="x", color=_QUIET, linewidth=0.4)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("ours ÷ the other, logarithmic", color=_INK, size=9)
    if then:
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(file)
    return True
