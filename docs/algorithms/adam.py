"""What falls faster under Adam than under SGD? Usage: adam.py out/adam_diagonal.nc (of experiments/adam_diagonal.toml, with its saved paths)

Draws tr diag(Hess)^(1/2), less that of SGD's slow ODE, and the test error against tr Hess, into adam.png beside itself. Prints for
each run tr diag(Hess)^(1/2) where its mean tr Hess reaches given levels, with 95% intervals from resampled paths; slow ODEs
have none."""

import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray

LEVELS, REPEATS, MARKERS = 4, 4000, 30
SHARPNESS, ROOT, TEST = "trace_hessian", "trace_diagonal_p0d5", "test_error"
data = xarray.open_dataset(sys.argv[1])
random = np.random.default_rng(1)


def at_level(sharpness, other, level):
    """`other` where the sharpness first falls to the level, between observations on a straight line; nan where it does not."""
    below = np.flatnonzero(sharpness <= level)
    if len(below) == 0 or below[0] == 0:
        return np.nan
    i = below[0]
    share = (sharpness[i - 1] - level) / (sharpness[i - 1] - sharpness[i])
    return other[i - 1] + share * (other[i] - other[i - 1])


def with_error(run, level):
    """The root trace at the level, and its 95% half-width."""
    x, y = (data[name + "_paths"].sel(run=run).values for name in (SHARPNESS, ROOT))
    kept = np.isfinite(x).all(axis=1)
    x, y = x[kept], y[kept]
    value = at_level(x.mean(axis=0), y.mean(axis=0), level)
    if len(x) == 1:
        return value, 0.0
    drawn = random.integers(len(x), size=(REPEATS, len(x)))
    again = [at_level(x[d].mean(axis=0), y[d].mean(axis=0), level) for d in drawn]
    return value, 1.96 * np.nanstd(again)


runs = [str(r) for r in data.run.values]
start, end = float(data[SHARPNESS][0, 0]), max(float(data[SHARPNESS].sel(run=r)[-1]) for r in runs)
levels = [start + (end - start) * k / LEVELS for k in range(1, LEVELS)] + [end + 0.01 * (start - end)]
print("tr Hess".ljust(34), *(f"{level:>18.3f}" for level in levels))
for run in runs:
    cells = (with_error(run, level) for level in levels)
    print(run.ljust(34), *(f"{value:>8.4f} +- {half:.4f}" for value, half in cells))

fig, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
colors = {}
# The curves of tr diag(Hess)^(1/2) lie within 1.5% of each other: what is drawn is how far each is from SGD's slow ODE.
reference = data.sel(run=next(r for r in runs if "slow ODE" in r))
falling = slice(None, None, -1)
for run in runs:
    group = str(data.group.sel(run=run).values)
    color = colors.setdefault(group, f"C{len(colors)}")
    discrete = bool(data.discrete.sel(run=run))
    x = data[SHARPNESS].sel(run=run).values
    drawn = [0]
    for k in range(len(x)):
        if x[drawn[-1]] - x[k] > (x[0] - x[-1]) / MARKERS or not discrete:
            drawn.append(k)
    x = x[drawn]
    for panel, name in zip(panels, (ROOT, TEST)):
        y, half = data[name].sel(run=run).values[drawn], 1.96 * np.nan_to_num(data[name + "_se"].sel(run=run).values[drawn])
        if name == ROOT:
            y = y - np.interp(x, reference[SHARPNESS].values[falling], reference[ROOT].values[falling], left=np.nan)
        if discrete:
            panel.errorbar(x, y, half, fmt="o", ms=4, mfc="white", color=color, label=run)
        else:
            panel.plot(x, y, color=color, label=run)
for panel, title in zip(panels, (r"tr diag(Hess)$^{1/2}$, less SGD's (slow ODE)", "test error")):
    panel.invert_xaxis()
    panel.set_xlabel("tr Hess")
    panel.set_title(title)
panels[1].legend(frameon=False, fontsize=8, loc="upper left")
fig.savefig(os.path.join(os.path.dirname(os.path.abspath(__file__)), "adam.png"), dpi=110)
