#!/usr/bin/env python3
"""Draws the dataset of a sweep: an observable at the end of the runs against a swept key, a colour for each value of another key,
a panel for each algorithm with its theory; theory as lines, algorithms as markers."""

import argparse
import json
import sys

sys.dont_write_bytecode = True  # no cache beside an installed script

from figure_style import COLORS, DASHES, MARKERS, Z, Problem, exit_code, parse_formats, pyplot, save
from figure_style import plain as one_line
from schema import check_sweep, opened, reading

COLUMNS = 4  # of panels
FEW = 8      # values of a key that get a tick each


class Sweep:
    """The dataset's keys, and what is drawn of its observables."""

    def __init__(self, path):
        self.data = opened(path)
        with reading(path):
            attributes = {n: self.data.getncattr(n) for n in self.data.ncattrs()}
            if "sweep" not in attributes:
                raise Problem(f"{path}: not the dataset of a sweep (no attribute 'sweep')", 2)
            about = check_sweep(path, self.data, attributes)
        self.zip = about["mode"] == "zip"
        self.keys = {k["label"]: k["key"] for k in about["keys"]}
        self.names = json.loads(self.data.observables)
        self.runs = [str(r) for r in self.data["run"][...]]

    def values(self, key):
        values = self.data[key][...]
        return [str(v) for v in values] if values.dtype == object else [v.item() for v in values]

    def at_end(self, observable):
        """Mean and standard error, [swept keys or cell][run or pair], at the last time that has a mean; none where a cell failed."""
        import numpy as np

        mean, error = (np.ma.filled(self.data[observable + ending][...], np.nan) for ending in ("", "_se"))
        last = mean.shape[-1] - 1 - np.argmax(np.isfinite(mean[..., ::-1]), axis=-1)
        return [np.take_along_axis(a, last[..., None], axis=-1)[..., 0] for a in (mean, np.nan_to_num(error))]

    def observables(self):
        return self.names + [f"difference_{n}" for n in self.names if f"difference_{n}" in self.data.variables]

    def failed(self):
        import numpy as np

        if "failure" not in self.data.variables:
            return 0, 0
        texts = np.asarray(self.data["failure"][...], dtype=object)
        cells = texts.reshape(-1, texts.shape[-1])
        return sum(any(row) for row in cells), len(cells)


def check_key(sweep, option, key):
    if key is not None and key not in sweep.keys:
        raise Problem(f"{option} {key}: expected one of the swept keys: {', '.join(sweep.keys)}", 2)


def choose(sweep, x, lines, at):
    """The keys on the axis and of the lines, and where the others are held: a number of a value for each."""
    check_key(sweep, "--x", x)
    check_key(sweep, "--lines", lines)
    keys = list(sweep.keys)
    # The axis is the key with the most values, where nothing is said; a key of words is better told apart by lines.
    ranked = sorted(keys, key=lambda k: (any(isinstance(v, str) for v in sweep.values(k)), -len(sweep.values(k))))
    x = x or next(k for k in ranked if k != lines)
    if x == lines:
        raise Problem(f"--lines {lines}: expected another key than that of the axis", 2)
    held = {}
    for text in at:
        key, _, value = text.partition("=")
        check_key(sweep, "--at", key)
        words = [f"{v:g}" if isinstance(v, float) else str(v) for v in sweep.values(key)]
        found = [i for i, v in enumerate(sweep.values(key)) if value in (str(v), words[i])]
        if not found:
            raise Problem(f"--at {text}: expected one of the values of {key}: {', '.join(words)}", 2)
        if key in (x, lines):
            raise Problem(f"--at {text}: {key} is drawn, not held", 2)
        held[key] = found[0]
    if sweep.zip:
        if lines or held:
            raise Problem("--lines, --at: zipped keys vary together: expected --x alone", 2)
        return x, None, {}
    rest = [k for k in keys if k not in (x, lines) and k not in held]
    if lines is None and rest:
        lines = rest.pop(0)
    held.update({k: 0 for k in rest})
    return x, lines, held


def panels_of(sweep, pairs):
    """Title, and what is in it: (number, whether it is a line). An algorithm and its theory share a panel; a pair has its own."""
    if pairs:
        names = zip(sweep.data["pair_algorithm"][...], sweep.data["pair_theory"][...])
        return {f"{a} - {t}": [(p, False)] for p, (a, t) in enumerate(names)}
    panels = {}
    for m, group in enumerate(str(g) for g in sweep.data["group"][...]):
        panels.setdefault(group, []).append((m, not sweep.data["discrete"][m]))
    return panels


def shown(value):
    return value if isinstance(value, str) else f"{value:.6g}"


def plain(text, most):
    """A user's words: no TeX, one line, and no more than there is room for."""
    return one_line(text, most).replace("$", r"\$")


def set_axis(ax, values, positions):
    """Ticks at the values where they are few; a logarithmic axis where they span a factor of four."""
    numbers = not any(isinstance(v, str) for v in values)
    if numbers and min(values) > 0 and max(values) >= 4 * min(values):
        ax.set_xscale("log")
    if len(values) <= FEW or not numbers:
        ax.set_xticks(positions, [plain(shown(v), 12) for v in values])
        ax.minorticks_off()


def draw(sweep, observable, x, lines, held, prefix, formats):
    plt = pyplot()
    import numpy as np
    from matplotlib.lines import Line2D

    if observable not in sweep.observables():
        raise Problem(f"--observable {observable}: expected one of {', '.join(sweep.observables())}", 2)
    pairs = observable.startswith("difference_")
    mean, error = sweep.at_end(observable)
    if not sweep.zip:  # [x][lines][run]
        order = [list(sweep.keys).index(k) for k in [x] + ([lines] if lines else [])]
        rest = [i for i in range(len(sweep.keys)) if i not in order]
        take = tuple(held[list(sweep.keys)[i]] for i in rest)
        mean, error = (np.transpose(a, order + rest + [a.ndim - 1])[(slice(None),) * len(order) + take] for a in (mean, error))
    if lines is None:
        mean, error = mean[:, None], error[:, None]
    values = sweep.values(x)
    positions = np.arange(len(values)) if any(isinstance(v, str) for v in values) else np.asarray(values, float)
    along = np.argsort(positions, kind="stable")

    panels = panels_of(sweep, pairs)
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(max(5.2, 3.9 * columns), 3.5 * rows + 0.8), dpi=200, squeeze=False,
                                sharey=True, layout="constrained")
    for ax in axes.flat[len(panels):]:
        ax.set_visible(False)
    entries = sweep.values(lines) if lines else [None]
    for ax, (group, runs) in zip(axes.flat, panels.items()):
        for i in range(len(entries)):
            color, marker = COLORS[i % 7], MARKERS[(i + i // 7) % 7]
            theories = [m for m, line in runs if line]
            for m, line in runs:
                y, bar = mean[along, i, m], Z * error[along, i, m]
                if line:
                    ax.plot(positions[along], y, color=color, dashes=DASHES[theories.index(m) % 7])
                    if bar.max() > 0:
                        ax.fill_between(positions[along], y - bar, y + bar, color=color, alpha=0.18, lw=0)
                else:
                    ax.errorbar(positions[along], y, bar, fmt=marker + ("-" if pairs else ""), lw=0.8, elinewidth=1.5, color=color,
                                ms=5, mfc="white", mec=color, mew=1.2, zorder=3)
        if pairs:
            ax.axhline(0, color="0.35", lw=1)
        ax.set_title(plain(group, 40))
        ax.set_xlabel(plain(sweep.keys[x], 40))
        ax.grid(alpha=0.25, lw=0.5)
        ax.tick_params(labelleft=True)
        set_axis(ax, [values[i] for i in along], positions[along])
    name = getattr(sweep.data[observable], "long_name", observable).replace(", mean over paths", "")
    name = name.replace(": algorithm - slow SDE on common noise", "" if not pairs else ":\nalgorithm - slow SDE, same noise")
    for row in axes:
        row[0].set_ylabel("\n".join(plain(part, 48) for part in name.split("\n")) + ("" if pairs else "\nat the end"))

    handles = []
    if lines:
        handles = [Line2D([], [], color=COLORS[i % 7], marker=MARKERS[(i + i // 7) % 7], mfc="white", mew=1.2, ms=5,
                          label=f"{lines} = {plain(shown(v), 24)}") for i, v in enumerate(entries)]
    if not pairs:
        handles.append(Line2D([], [], color="0.35", label="line: theory, band 95%"))
    handles += [Line2D([], [], color="0.35", ls="", marker="o", mfc="white", label=f"marker: {'mean' if pairs else 'algorithm'}, 95% interval")]
    notes = [f"{k} = {shown(sweep.values(k)[i])}" for k, i in held.items()]
    failed, cells = sweep.failed()
    if failed:
        notes.append(f"{failed} of {cells} cells failed and are not drawn")
    title = plain(str(getattr(sweep.data, "title", "")), 90)
    figure.suptitle(title + ("\n" + plain("; ".join(notes), 110) if notes else ""), fontsize=11)
    across = min(4 if columns > 1 else 2, len(handles))
    figure.legend(handles=handles, loc="lower center", ncol=across, columnspacing=1.6, handlelength=3)
    below = -(-len(handles) // across) * 0.24 / figure.get_size_inches()[1]
    figure.get_layout_engine().set(rect=(0, below + 0.02, 1, 0.98 - below))
    save(figure, prefix, formats)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--out", required=True)
    parser.add_argument("--observable", default="trace_hessian")
    parser.add_argument("--x")
    parser.add_argument("--lines")
    parser.add_argument("--at", action="append", default=[])
    parser.add_argument("--formats", default="png,svg")
    arguments = parser.parse_args()

    def draw_all():
        sweep = Sweep(arguments.data)
        with reading(arguments.data):
            x, lines, held = choose(sweep, arguments.x, arguments.lines, arguments.at)
            draw(sweep, arguments.observable, x, lines, held, arguments.out, parse_formats(arguments.formats))

    return exit_code(draw_all)


if __name__ == "__main__":
    sys.exit(main())
