#!/usr/bin/env python3
"""Draws the figures of docs/generalization.md from a folder, and prints the numbers of the digits'. Verdicts are those of `sde verify`.

  for f in digits_slow_sde diagonal_rounds diagonal_horizon diagonal_switch; do
    sde run experiments/generalization/$f.toml --no-figure --out out
  done
  sde verify experiments/generalization/diagonal_collapse.toml --out out/diagonal_collapse
  docs/generalization/figures.py out
"""

import json
import pathlib
import sys

import numpy as np
import xarray

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent / "share"))
sys.dont_write_bytecode = True

from figure_style import COLORS, MARKERS, Z, pyplot

plt = pyplot()
BOTH = (("trace_hessian", "tr Hess"), ("test_error", "test error"))


def mean_and_interval(data, observable):
    return data[observable].values, Z * np.nan_to_num(data[observable + "_se"].values)


def figure(name, panels, width=8.4, height=3.3):
    fig, axes = plt.subplots(1, panels, figsize=(width, height), layout="constrained")
    return fig, axes, lambda: fig.savefig(FOLDER / f"{name}.png", dpi=130)


def worst(difference, interval):
    """The relative difference that is furthest from 0, with its interval."""
    k = np.argmax(np.abs(difference))
    return f"{difference.flat[k]:+.4f} +- {interval.flat[k]:.4f}"


def digits(folder):
    """The slow ODE of a network on data beside SGD and Local SGD."""
    data = xarray.open_dataset(folder / "digits_slow_sde.nc")
    fig, axes, save = figure("digits_slow_sde", 2)
    for observable, label in BOTH:
        ax = axes[[o for o, _ in BOTH].index(observable)]
        mean, interval = mean_and_interval(data, observable)
        for k, run in enumerate(range(0, data.sizes["run"], 2)):
            name, t = str(data.run.values[run]), data.slow_time.values
            ax.plot(t[run + 1], mean[run + 1], color=COLORS[k])
            ax.errorbar(t[run], mean[run], interval[run], color=COLORS[k], fmt=MARKERS[k], ms=4, capsize=2, lw=1, label=name)
            ratio = mean[run] / mean[run + 1] - 1, interval[run] / mean[run + 1]
            print(f"digits, {label}, {name}: end {mean[run, -1]:.4f} +- {interval[run, -1]:.4f}, slow ODE {mean[run + 1, -1]:.4f}; "
                  f"over the slow ODE's, less 1: end {ratio[0][-1]:+.4f} +- {ratio[1][-1]:.4f}, worst {worst(*ratio)}")
        ax.set(xlabel="slow time", ylabel=label)
    axes[0].set_yscale("log")
    axes[0].set_yticks([12, 15, 20, 30, 40, 50], ["12", "15", "20", "30", "40", "50"])
    axes[0].minorticks_off()
    axes[0].legend()
    axes[0].set_title("markers: algorithm, 95% intervals; lines: slow ODE")
    axes[1].set_title("odd against even, 773 test images")
    save()


def rounds(folder):
    """Sharpness and test error against alpha."""
    data = xarray.open_dataset(folder / "diagonal_rounds.nc").isel(time=-1)
    fig, axes, save = figure("diagonal_rounds", 2)
    alpha = 0.01 * data.H.values
    for ax, (observable, label) in zip(axes, BOTH):
        mean, interval = mean_and_interval(data, observable)
        ax.plot(alpha, mean[:, 2], color=COLORS[0], label="slow ODE")
        ax.errorbar(alpha, mean[:, 1], interval[:, 1], color=COLORS[1], fmt="o", ms=4, capsize=2, label="Local SGD, K = 8")
        ax.axhline(mean[0, 0], color="0.5", lw=1, ls=":", label="SGD")
        ax.set(xscale="log", xlabel=r"$\alpha = \eta H$", ylabel=label)
    axes[1].set_yscale("log")
    axes[1].set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
    axes[1].legend()
    save()


def collapse(folder):
    """Sharpness against slow time, and against time times the factors that `sde verify` has predicted from the slow ODEs."""
    with open(folder / "diagonal_collapse" / "verify.json") as stream:
        (claim,) = json.load(stream)["claims"]
    series = {}
    for p in claim["points"]:
        series.setdefault(p["series"], []).append((p["x"], p["y"], Z * p["standard_error"]))
    fig, axes, save = figure("diagonal_collapse", 2)
    curve = "SGD, workers = 1 (slow ODE)"
    algorithms = [name.split(": ")[1] for name in series if name.startswith("trace_hessian: ") and "slow ODE" not in name]
    for ax, what, label in zip(axes, ("trace_hessian", "trace_hessian at rescaled time"), ("slow time", "slow time, times the predicted factor")):
        for k, name in enumerate(algorithms):
            x, y, error = zip(*sorted(series[f"{what}: {name}"]))
            ax.errorbar(x, y, error, color=COLORS[k], fmt=MARKERS[k], ms=3, lw=1, label=name)
        ax.set(xlabel=label, ylabel="tr Hess", xlim=axes[0].get_xlim())
    x, y, _ = zip(*sorted(series[f"trace_hessian: {curve}"]))
    axes[1].plot(x, y, color="k", lw=1, label="SGD's slow ODE")
    for ax in axes:
        ax.legend()
    save()


def switch(folder):
    """Where post-local SGD ends, against when its rounds begin; and the rounds of communication that it takes."""
    data = xarray.open_dataset(folder / "diagonal_switch.nc").isel(time=-1)
    fig, axes, save = figure("diagonal_switch", 2)
    share = np.where(data.kind.values == "sgd", 1, np.where(data.kind.values == "local_sgd", 0, np.nan_to_num(data["switch"].values)))
    for k, (ax, (observable, label)) in enumerate(zip(axes, BOTH)):
        mean, interval = mean_and_interval(data, observable)
        ax.errorbar(share, mean, interval, color=COLORS[k], fmt="o", ms=4, lw=1, capsize=2)
        ax.set(xlabel="share of the steps that are SGD's", ylabel=label, ylim=(0, None))
    for run, at in zip(data.run.values, share):
        print(f"switch: {run}: {data.communication_rounds.sel(run=run).item():.0f} rounds, from {at:g} of the steps on")
    save()


def horizon(folder):
    """Local SGD over SGD against the number of steps."""
    data = xarray.open_dataset(folder / "diagonal_horizon.nc").isel(time=-1)
    fig, axes, save = figure("diagonal_horizon", 2)
    steps = data.experiment_time.values / 0.01**2
    for ax, (observable, label) in zip(axes, BOTH):
        mean, interval = mean_and_interval(data, observable)
        for k, (first, name) in enumerate(((0, "algorithms"), (2, "conventional SDEs"), (4, "slow ODEs"))):
            ratio = mean[:, first + 1] / mean[:, first]
            error = np.hypot(interval[:, first + 1], ratio * interval[:, first]) / mean[:, first]
            ax.errorbar(steps * 1.04 ** (k - 1), ratio, error, color=COLORS[k], fmt=MARKERS[k], ms=4, lw=1, capsize=2, label=name)
        for x, words in ((100, r"$1/\eta$"), (10_000, r"$1/\eta^2$")):
            ax.axvline(x, color="0.7", lw=1, zorder=0)
            ax.text(x, 0.02, " " + words, transform=ax.get_xaxis_transform(), color="0.4")
        ax.set(xscale="log", xlabel="steps", ylabel=f"{label}, Local SGD / SGD")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 0.1))
    save()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    there = pathlib.Path(sys.argv[1])
    for name, draw in (("digits_slow_sde.nc", digits), ("diagonal_rounds.nc", rounds), ("diagonal_collapse/verify.json", collapse),
                       ("diagonal_horizon.nc", horizon), ("diagonal_switch.nc", switch)):
        if (there / name).exists():
            draw(there)
        else:
            print(f"{there / name} is missing: not drawn")
