#!/usr/bin/env python3
"""Draws datasets of `sde run` against slow time, theory as lines, algorithms as markers: an observable, and drift and diffusion
of one component; the algorithms less their slow SDEs on common noise."""

import argparse
import sys

sys.dont_write_bytecode = True  # no cache beside an installed script

from figure_style import Problem, exit_code, parse_formats, plain, pyplot, save, styles_of
from panels import Pen, panels_of
from run_data import Dataset, choose_component, name_datasets, runs_of

COLUMNS = 4  # panels in a row, and entries of the legend, at most
KINDS = {
    "line": ("line: SDE or ODE (theory)", {"ls": "-"}),
    "band": ("band, thin edges: its 95% interval", {"lw": 6, "alpha": 0.3}),
    "marker": ("marker: algorithm, 95% interval", {"ls": "", "marker": "o", "mfc": "white"}),
    "dotted": ("dotted: without drift-II", {"ls": ":", "lw": 0.9}),
}


def legend_entries(runs, styles, used):
    from matplotlib.lines import Line2D

    entries = []
    for group, style in styles.items():
        own = [r for r in runs if r.group == group]
        lines, marks = any(not r.discrete for r in own), any(r.discrete for r in own)
        text = group + (" (lost paths: biased)" if any(r.lost for r in own) else "")
        entries.append(Line2D([], [], color=style.color, marker=style.marker if marks else "", mfc="white", mew=1.2, ms=5, label=text,
                              **({"dashes": style.dashes} if lines and style.dashes else {"ls": "-" if lines else ""})))
    return entries + [Line2D([], [], color="0.35", label=KINDS[kind][0], **KINDS[kind][1]) for kind in KINDS if kind in used]


def draw(datasets, labelled, observable, wanted, prefix, formats):
    plt = pyplot()
    for data in datasets:
        if observable not in data.v or observable not in data.observables():
            raise Problem(f"--observable {observable}: {data.label} has {', '.join(data.observables())}", 2)
    component = choose_component(datasets, wanted)
    runs = runs_of(datasets, labelled)
    styles = styles_of(dict.fromkeys(run.group for run in runs))
    panels = panels_of(runs, [pair for run in runs for pair in run.pairs()], observable, component)

    pen = Pen(styles, runs)
    columns = min(COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = plt.figure(dpi=300)
    for i, panel in enumerate(panels):
        ax = figure.add_subplot(lines, columns, i + 1)
        panel.draw(ax, pen)
        ax.set_title(panel.title)
        ax.set_xlabel(r"slow time  $\eta^2\,\times$ local steps")
        ax.set_ylabel(panel.label)
        ax.grid(alpha=0.25, lw=0.5)

    # Inches: the panels keep their size, whatever the legend needs.
    entries = legend_entries(runs, styles, pen.used)
    width = max(6.5, 3.7 * columns)
    longest = max(len(e.get_label()) for e in entries)
    in_row = max(1, min(COLUMNS, len(entries), int(width / (0.75 + 0.068 * longest))))
    legend = 0.1 + 0.185 * -(-len(entries) // in_row)
    height = 3.5 * lines + legend + 0.4
    figure.set_size_inches(width, height)
    figure.tight_layout(rect=(0, legend / height, 1, 1 - 0.3 / height))
    title = plain(datasets[0].a.get("title", ""), int(width * 10.5))
    figure.suptitle(title, fontsize=11.5, y=1 - 0.08 / height, va="top", parse_math=False)  # a user's text: no TeX
    below = figure.legend(handles=entries, loc="lower center", ncol=in_row, columnspacing=1.6, handlelength=3.2)
    for text in below.get_texts():
        text.set_parse_math(False)
    save(figure, prefix, formats)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--observable", default="trace_hessian")
    parser.add_argument("--component")
    parser.add_argument("--formats", default="png,svg")
    parser.add_argument("--label", action="append", default=[], help="of each dataset, in their order")
    arguments = parser.parse_args()

    def draw_all():
        formats = parse_formats(arguments.formats)
        datasets = [Dataset(p) for p in arguments.data]
        name_datasets(datasets, arguments.label)
        draw(datasets, bool(arguments.label), arguments.observable, arguments.component, arguments.out, formats)

    return exit_code(draw_all)


if __name__ == "__main__":
    sys.exit(main())
