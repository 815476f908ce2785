"""What the notebooks share: calls of the installed command line, and how theory and measurements are drawn.

SDE_BIN names the program (default: `sde` on the path). SDE_NOTEBOOK_SMALL: few paths and short runs, for the tests."""

import json
import os
import subprocess
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import xarray

SDE = os.environ.get("SDE_BIN", "sde")
SMALL = bool(os.environ.get("SDE_NOTEBOOK_SMALL"))
EXPERIMENTS = os.path.relpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../experiments"))
Z = 1.959964  # 95%
_folder = tempfile.TemporaryDirectory()  # goes away with the notebook's kernel

# Okabe and Ito's palette: told apart by colour-blind readers.
plt.rcParams.update({
    "axes.prop_cycle": plt.cycler(color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]),
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "legend.frameon": False,
    "legend.fontsize": 8, "figure.dpi": 100, "savefig.dpi": 100})


def chosen(full, small):
    """`full`, or `small` where the notebook is tested."""
    return small if SMALL else full


def sde(*arguments, codes=(0,)):
    """Runs the command line; what it printed."""
    done = subprocess.run([SDE, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in codes:
        raise RuntimeError(f"sde {arguments[0]}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def experiment_file(experiment, name):
    """The path of an experiment: one of experiments/, or TOML text, which is written."""
    if "\n" not in experiment:
        return os.path.join(EXPERIMENTS, experiment)
    path = os.path.join(_folder.name, name + ".toml")
    with open(path, "w") as stream:
        stream.write(experiment)
    return path


def run(experiment, *settings, name="own", sweep=(), zipped=False, table=False):
    """`sde run`: the dataset. `settings` are key=value, `sweep` key=values; `table` prints what the command prints."""
    out = tempfile.mkdtemp(dir=_folder.name)
    file = experiment_file(experiment, name)
    words = ["run", file, "--out", out, "--no-figure", "--quiet"]
    for option, values in (("--set", settings), ("--sweep", sweep)):
        for value in values:
            words += [option, value]
    printed = sde(*words, *["--zip"] * zipped)
    if table:
        print(printed)
    return xarray.open_dataset(os.path.join(out, os.path.splitext(os.path.basename(file))[0] + ".nc"))


def terms(**options):
    """`sde terms`: the slow SDE's terms at a point, of options such as loss="ring", at="0.6,0.8"."""
    words = [w for key, value in options.items() for w in ("--" + key.replace("_", "-"), value)]
    return json.loads(sde("terms", *words, "--json"))


def verify(*words, name="own", table=True):
    """`sde verify`: what it found, with its rows printed. Words: claims, options, an experiment file or its text."""
    files = [experiment_file(w, name) if "\n" in w or w.endswith(".toml") else w for w in map(str, words)]
    found = json.loads(sde("verify", *files, "--json", "--quiet", codes=(0, 1)))
    for row in found["rows"] if table else ():
        if not row["control"] and None not in (row["measured"], *row["difference_interval"]):
            low, high = row["difference_interval"]
            print(f"{row.get('method', row['loss'])}: {row['quantity']}: {row['measured']:.4g} for {row['predicted']:.4g}, [{low:.2g}, {high:.2g}]: {row['verdict']}")
    controls = [row["verdict"] for row in found["rows"] if row["control"]]
    if table and controls:
        print(f"wrong predictions rejected: {controls.count('rejected')} of {len(controls)}")
    return found


def axes(count=1, width=5.2, height=3.8):
    """A figure's axes; a single one alone."""
    _, found = plt.subplots(1, count, figsize=(width * count, height), layout="constrained")
    return found


def points(ax, x, mean, se, label=None, **style):
    """Measurements with 95% intervals."""
    return ax.errorbar(x, mean, Z * np.nan_to_num(np.asarray(se)), **{"fmt": "o", "ms": 4.5, "mfc": "white", "elinewidth": 1.2, "label": label, **style})


def line(ax, x, y, se=None, label=None, **style):
    """Theory, with its 95% band where it has one."""
    (drawn,) = ax.plot(x, y, label=label, **style)
    if se is not None and np.nan_to_num(np.asarray(se)).max() > 0:
        ax.fill_between(x, y - Z * se, y + Z * se, color=drawn.get_color(), alpha=0.15, lw=0)
    return drawn


def over_time(ax, data, observable, label=None, marks=16):
    """An observable of a dataset's runs: theory as lines, algorithms as points, a colour for each setting."""
    colors = {g: f"C{i % 7}" for i, g in enumerate(dict.fromkeys(data.group.values))}
    style = {"fmt": "o"} if (data.discrete == 0).any() else {"fmt": "o-", "lw": 0.6}
    for name in data.run.values:
        one = data.sel(run=name)
        color = colors[str(one.group.values)]
        if one.discrete == 1:
            one = one.isel(time=np.unique(np.linspace(0, one.sizes["time"] - 1, marks).round().astype(int)))
            points(ax, one.slow_time, one[observable], one[observable + "_se"], name, color=color, **style)
        else:
            line(ax, one.slow_time, one[observable], one[observable + "_se"], color=color)
    ax.set(xlabel="slow time", ylabel=label or data[observable].long_name.split(", mean")[0].replace(" at Phi(theta)", ""))
    ax.legend()


def rate_axis(ax, rates):
    """A logarithmic axis with a tick at each learning rate."""
    ax.set(xscale="log", xlabel="$\\eta$")
    ax.set_xticks(rates, [f"{x:g}" for x in rates])
    ax.minorticks_off()


def psi(x):
    """The share of drift-II's limit that is reached at x = 2 alpha lambda."""
    x = np.asarray(x, float)
    return (np.expm1(-x) + x) / x
