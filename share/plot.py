#!/usr/bin/env python3
"""Draws datasets of `sde run`: sharpness, drift and diffusion against slow time, theory as lines, algorithms as markers."""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True  # no cache beside an installed script

from figure_style import COLORS, DASHES, MARKERS, Z, Problem, parse_formats, pyplot, save

POINTS = 16  # markers a curve, at most


def load(path):
    import netCDF4
    import numpy as np

    if not os.path.exists(path):
        raise Problem(f"{path}: no such file", 4)
    try:
        with netCDF4.Dataset(path) as data:
            variables = {n: np.ma.filled(v[...], np.nan) if v.dtype != str else v[...] for n, v in data.variables.items()}
            attributes = {n: data.getncattr(n) for n in data.ncattrs()}
            names = {n: getattr(v, "long_name", n) for n, v in data.variables.items()}
    except OSError as error:
        raise Problem(f"{path}: not a netCDF-4 file ({error})", 4)
    if "observables" not in attributes:
        raise Problem(f"{path}: not a dataset of sde run (no attribute 'observables')", 2)
    return {"v": variables, "a": attributes, "names": names, "label": os.path.splitext(os.path.basename(path))[0]}


def thin(count):
    import numpy as np

    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))


def pooled(width, mean, se):
    """Neighbouring intervals joined, weighted by their width: centres' weights, means and standard errors."""
    import numpy as np

    groups = np.array_split(np.arange(len(mean)), min(len(mean), POINTS))
    out = []
    for g in groups:
        w = width[g] / width[g].sum()
        out.append((g, w, (w * mean[g]).sum(), np.sqrt(((w * se[g]) ** 2).sum())))
    return out


def choose_component(data, wanted):
    import numpy as np

    if "component" not in data["v"]:
        return None
    names = [str(c) for c in data["v"]["component"]]
    if wanted is not None:
        if wanted not in names:
            raise Problem(f"--component {wanted}: expected one of {', '.join(names)}", 2)
        return names.index(wanted)
    drift = data["v"]["drift_1"] + data["v"]["drift_2"]
    return int(np.argmax(np.nanmax(np.abs(drift), axis=(0, 1))))


def draw(datasets, observable, component, prefix, formats):
    plt = pyplot()
    import numpy as np
    from matplotlib.lines import Line2D

    figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), dpi=300)
    groups = []
    for data in datasets:
        prefix_label = f"{data['label']}: " if len(datasets) > 1 else ""
        for group in data["v"]["group"]:
            if prefix_label + str(group) not in groups:
                groups.append(prefix_label + str(group))
    # Beyond seven groups the same colour comes with another marker and dash.
    style = {g: (COLORS[i % 7], MARKERS[(i + i // 7) % 7], DASHES[(i + 2 * (i // 7)) % 7]) for i, g in enumerate(groups)}
    if component is None and choose_component(datasets[0], None) is not None:
        component = str(datasets[0]["v"]["component"][choose_component(datasets[0], None)])  # the same of every dataset

    largest_diffusion, any_measured = 0.0, 0.0
    for data in datasets:
        v = data["v"]
        if observable not in v:
            raise Problem(f"--observable {observable}: {data['label']} has {', '.join(json.loads(data['a']['observables']))}", 2)
        c = choose_component(data, component)
        prefix_label = f"{data['label']}: " if len(datasets) > 1 else ""
        for m, group in enumerate(v["group"]):
            color, marker, dashes = style[prefix_label + str(group)]
            t, discrete = v["slow_time"][m], bool(v["discrete"][m])
            mean, se = v[observable][m], np.nan_to_num(v[observable + "_se"][m])
            if discrete:
                k = thin(len(t))
                axes[0].errorbar(t[k], mean[k], Z * se[k], fmt=marker, ms=4.5, mfc="white", mec=color, ecolor=color, mew=1.2, zorder=3)
            else:
                axes[0].plot(t, mean, color=color, dashes=dashes)
                if se.max() > 0:
                    axes[0].fill_between(t, mean - Z * se, mean + Z * se, color=color, alpha=0.2, lw=0)
            if c is None:
                continue
            total = (v["drift_1"] + v["drift_2"] + v["ito_normal"])[m, :, c]
            width = v["interval_width"][m]
            middle = 0.5 * (t[1:] + t[:-1])
            if discrete:
                rows = pooled(width, v["drift_measured"][m, :, c], np.nan_to_num(v["drift_measured_se"][m, :, c]))
                at = [(w * middle[g]).sum() for g, w, _, _ in rows]
                axes[1].errorbar(at, [r[2] for r in rows], [Z * r[3] for r in rows], fmt=marker, ms=4.5, mfc="white",
                                 mec=color, ecolor=color, mew=1.2, zorder=3)
                rows = pooled(width, v["diffusion_measured"][m, :, c], np.nan_to_num(v["diffusion_measured_se"][m, :, c]))
                at = [(w * middle[g]).sum() for g, w, _, _ in rows]
                axes[2].errorbar(at, [r[2] for r in rows], [Z * r[3] for r in rows], fmt=marker, ms=4.5, mfc="white",
                                 mec=color, ecolor=color, mew=1.2, zorder=3)
                any_measured = max(any_measured, np.nanmax([abs(r[2]) for r in rows]))
            else:
                axes[1].plot(t, total, color=color, dashes=dashes)
                if np.nanmax(np.abs(v["drift_2"][m, :, c])) > 0:
                    axes[1].plot(t, v["drift_1"][m, :, c] + v["ito_normal"][m, :, c], color=color, lw=0.8, ls=":")
                diffusion = v["diffusion"][m, :, c]
                axes[2].plot(t, diffusion, color=color, dashes=dashes)
                largest_diffusion = max(largest_diffusion, np.nanmax(np.abs(diffusion)))

    first = datasets[0]
    c = choose_component(first, component)
    name = str(first["v"]["component"][c]) if c is not None else "x"
    axes[0].set_title("Sharpness tr Hess" if observable == "trace_hessian" else first["names"][observable].replace(", mean over paths", ""))
    axes[1].set_title(f"Drift of {name}")
    axes[2].set_title(f"Diffusion of {name}")
    axes[1].set_ylabel("per slow time")
    if largest_diffusion == 0 and c is not None:
        axes[2].set_title(f"Diffusion of {name}: none predicted")
        peak = np.nanmax(np.abs(first["v"]["drift_1"] + first["v"]["drift_2"]))
        top = max(any_measured * 1.6, 1e-12)
        axes[2].set_ylim(-0.12 * top, top)
        axes[2].text(0.98, 0.97, f"measured at most {any_measured:.2g}\n(the drift reaches {peak:.2g})", ha="right", va="top",
                     transform=axes[2].transAxes, fontsize=8.5)
    low, high = axes[0].get_ylim()
    if high - low < 1e-6 * abs(low):  # a control whose sharpness does not move: no axis of rounding errors
        axes[0].set_ylim(0.5 * (low + high) * 0.9, 0.5 * (low + high) * 1.1)
    for ax in axes:
        ax.set_xlabel(r"slow time  $\eta^2\,\times$ local steps")
        ax.grid(alpha=0.25, lw=0.5)
    handles = [Line2D([], [], color=style[g][0], marker=style[g][1], mfc="white", mew=1.2, ms=5, dashes=style[g][2] or (None, None),
                      ls="-" if not style[g][2] else "--", label=g) for g in groups]
    handles += [Line2D([], [], color="0.35", label="line: SDE or ODE (theory)"),
                Line2D([], [], color="0.35", ls="", marker="o", mfc="white", label="marker: algorithm, 95% interval"),
                Line2D([], [], color="0.35", ls=":", lw=0.9, label="dotted: drift-I alone")]
    figure.suptitle(first["a"].get("title", ""), fontsize=11.5, y=0.985)
    columns = min(4, len(handles))
    rows = -(-len(handles) // columns)
    figure.tight_layout(rect=(0, 0.03 + 0.05 * rows, 1, 0.98))
    figure.legend(handles=handles, loc="lower center", ncol=columns, columnspacing=1.6, handlelength=3.2)
    save(figure, prefix, formats)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--observable", default="trace_hessian")
    parser.add_argument("--component")
    parser.add_argument("--formats", default="png,svg")
    arguments = parser.parse_args()
    try:
        formats = parse_formats(arguments.formats)
        datasets = [load(p) for p in arguments.data]
        names = [d["label"] for d in datasets]
        for path, data in zip(arguments.data, datasets):
            if names.count(data["label"]) > 1:  # two files of one name: with their folders
                data["label"] = os.path.splitext(path)[0]
        draw(datasets, arguments.observable, arguments.component, arguments.out, formats)
    except Problem as problem:
        print(f"sde plot: {problem}", file=sys.stderr)
        return problem.code
    except ImportError as error:
        print(f"sde plot: {error}: expected Python with matplotlib and netCDF4 ($SDE_PYTHON names another)", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
