#!/usr/bin/env python3
"""Draws the figures of `sde verify` from its verify.json: one for each claim that has points."""

import argparse
import json
import math
import os
import sys

sys.dont_write_bytecode = True  # no cache beside an installed script

from figure_style import COLORS, MARKERS, Z, Problem, parse_formats, pyplot, save


def series_of(claim):
    """Points by name of their series, in the order of x."""
    series = {}
    for p in claim["points"]:
        series.setdefault(p["series"], []).append((p["x"], p["y"], p["standard_error"]))
    return {name: sorted(points) for name, points in series.items()}


def markers(ax, points, i, label):
    x, y, se = zip(*points)
    color = COLORS[i % 7]
    ax.errorbar(x, y, [Z * e for e in se], fmt=MARKERS[i % 7], ms=4.5, mfc="white", mec=color, ecolor=color, mew=1.2,
                label=label, zorder=3)


def log_axes(ax, series):
    """Both axes logarithmic; bars that reach 0 are cut at a tenth of the smallest value."""
    low = min((y for points in series.values() for _, y, _ in points if y > 0), default=1e-3)
    ax.set_xscale("log")
    ax.set_yscale("log", nonpositive="clip")
    ax.set_ylim(bottom=low / 3)
    rates = sorted({x for points in series.values() for x, _, _ in points})
    ax.set_xticks(rates, [f"{x:g}" for x in rates])
    ax.minorticks_off()


def reference(ax, series, order, text):
    """A line of the given slope through the largest rate's first point."""
    x1, y1, _ = max(p for points in series.values() for p in points)
    x0 = min(p[0] for points in series.values() for p in points)
    ax.plot([x0, x1], [y1 * (x0 / x1) ** order, y1], color="0.35", ls="--", lw=1, label=text)


def panels(plt, count, width=3.6):
    figure, axes = plt.subplots(1, count, figsize=(width * count, 3.4), dpi=200, squeeze=False, layout="constrained")
    for ax in axes[0]:
        ax.grid(alpha=0.25, lw=0.5)
    return figure, axes[0]


def legend_below(figure, ax):
    """One legend for panels that share their series."""
    handles, labels = ax.get_legend_handles_labels()
    figure.get_layout_engine().set(rect=(0, 0.1, 1, 0.9))
    figure.legend(handles, labels, loc="lower center", ncol=len(handles))


def drift(plt, claim):
    series = series_of(claim)
    curve = ("valley", "hyperbola")  # a single argument of psi
    losses = [loss for loss in dict.fromkeys(name.split(",")[0] for name in series) if loss in curve]
    if not losses:
        return None
    figure, axes = panels(plt, len(losses), 4.6)
    for ax, loss in zip(axes, losses):
        grid = [10 ** (-2 + 4 * i / 200) for i in range(201)]
        ax.plot(grid, [(math.expm1(-x) + x) / x for x in grid], color="0.35", label=r"$\psi$")
        workers = {}
        for name, points in series.items():
            if name.split(",")[0] == loss:
                workers.setdefault(name.split(",")[1].strip(), []).extend(points)
        for i, (label, points) in enumerate(workers.items()):
            markers(ax, sorted(points), i, label)
        ax.set_xscale("log")
        ax.set_title(f"{loss}: drift-II over its limit")
        ax.set_xlabel(r"$2\,\alpha\,\lambda$ at the start")
        ax.legend()
    return figure


def weak_error(plt, claim):
    series = series_of(claim)
    apart = {name: name.rsplit(": ", 1) for name in series}  # a method's own name may have colons
    losses = list(dict.fromkeys(loss for loss, _ in apart.values()))
    figure, axes = panels(plt, len(losses))
    for ax, loss in zip(axes, losses):
        own = {apart[name][1]: points for name, points in series.items() if apart[name][0] == loss}
        for i, (name, points) in enumerate(own.items()):
            markers(ax, points, i, name)
        log_axes(ax, own)
        reference(ax, own, 0.25, "order 1/4 (theorem's bound)")
        ax.set_title(f"{plain(loss)}: weak error of its worst g", fontsize="medium")
        ax.set_xlabel(r"$\eta$")
    legend_below(figure, axes[0])
    return figure


def against_rate(order, title):
    def draw(plt, claim):
        series = series_of(claim)
        figure, axes = panels(plt, 1, 4.8)
        for i, (name, points) in enumerate(series.items()):
            markers(axes[0], points, i, plain(name))
        log_axes(axes[0], series)
        reference(axes[0], series, order, f"order {order:g}")
        axes[0].set_title(title)
        axes[0].set_xlabel(r"$\eta$")
        axes[0].legend()
        return figure

    return draw


def plain(text):
    """A user's words: no TeX, and no more than a panel holds."""
    return (text if len(text) <= 28 else text[:27] + "...").replace("$", r"\$")


def comparison(plt, claim, swept=None):
    """Methods beside each other over slow time, or at the end over what is swept, a panel for each observable; a series is
    "observable: method"."""
    series = series_of(claim)
    observables = list(dict.fromkeys(name.split(": ")[0] for name in series))
    methods = list(dict.fromkeys(name.split(": ", 1)[1] for name in series))
    figure, axes = panels(plt, len(observables), 4.2)
    for ax, observable in zip(axes, observables):
        for i, method in enumerate(methods):
            points = series.get(f"{observable}: {method}")
            if not points:
                continue
            ax.plot([p[0] for p in points], [p[1] for p in points], color=COLORS[i % 7], lw=0.8)
            markers(ax, points, i, plain(method))
        ax.set_title(observable.replace("_", " "))
        x = [p[0] for points in series.values() for p in points]
        if swept and min(x) > 0 and max(x) >= 10 * min(x):
            ax.set_xscale("log")
        ax.set_xlabel(plain(swept.replace("_", " ")) if swept else r"slow time  $\eta^2\,\times$ local steps")
    axes[0].legend()
    return figure


FIGURES = {2: drift, 10: comparison, 11: comparison, 12: comparison, 4: weak_error, 5: against_rate(0.5, "Mean distance to Gamma"),
           8: against_rate(1, r"Separation after $2/\eta$ steps / at slow time 1")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--out", required=True, help="folder")
    parser.add_argument("--formats", default="png,svg")
    arguments = parser.parse_args()
    try:
        formats = parse_formats(arguments.formats)
        with open(arguments.data) as stream:
            report = json.load(stream)
        plt = pyplot()
        for claim in report["claims"]:
            if "experiment" in report and claim["claim"] == 2:
                continue  # one point of a method's own alpha: no curve to lie on
            if claim["points"] and claim["claim"] in FIGURES:
                swept = report.get("experiment", {}).get("swept")
                figure = FIGURES[claim["claim"]](plt, claim, *([str(swept)] if swept else []))
                if figure is not None:
                    save(figure, os.path.join(arguments.out, f"claim_{claim['claim']}"), formats)
    except Problem as problem:
        print(f"sde verify: {problem}", file=sys.stderr)
        return problem.code
    except (OSError, json.JSONDecodeError, KeyError) as error:
        print(f"sde verify: {arguments.data}: not a verify.json of sde verify ({error})", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"sde verify: {error}: expected Python with matplotlib ($SDE_PYTHON names another)", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
