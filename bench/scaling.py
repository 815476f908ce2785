#!/usr/bin/env python3
"""How the cost grows: exponents of the kernels' time against paths, steps, workers and dimension (`sde bench --scaling`), and
the peak memory of `sde run` against paths and steps. Prints a table and writes one figure.

    bench/scaling.py build/release/bin/sde --out out/scaling
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

EXPERIMENT = """
[experiment]
observations = 4
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [0.26, 0.44, 0.44, 1.36]
[training]
eta = 0.01
workers = 4
H = 20
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_local_sgd"
"""


def peak_memory(sde, file, paths, time):
    """Largest resident size in MiB of a run."""
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([sde, "run", file, "--quiet", "--no-figure", "--out", folder, "--set", f"experiment.paths={paths}",
                                  "--set", f"experiment.time={time}", "--set", "training.dt=0.001"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"scaling: the run with {paths} paths to time {time} failed")
    return usage.ru_maxrss / 1024


def figure(scalings, prefix):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    kinds = ["paths", "steps", "workers", "d"]
    fig, axes = plt.subplots(1, len(kinds), figsize=(14, 3.4), layout="constrained", width_ratios=(1, 1, 1, 1.4))
    for ax, kind in zip(axes, kinds):
        for s in (s for s in scalings if s["against"] == kind):
            ax.loglog(s["sizes"], s["seconds"], "o-", markersize=3, label=f"{s['work']}: {s['exponent']:.2f}")
        ax.set_xlabel(kind)
        ax.set_ylabel("seconds")
        ax.legend(fontsize=6, loc="upper left")
        ax.set_ylim(top=ax.get_ylim()[1] * 8)
    for ending in ("png", "svg"):
        fig.savefig(f"{prefix}.{ending}", dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sde", help="the built program")
    parser.add_argument("--out", default="out/scaling", help="folder")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    out = subprocess.run([arguments.sde, "bench", "--scaling", "--json"], capture_output=True, text=True, check=True)
    scalings = json.loads(out.stdout)
    for s in scalings:
        print(f"{s['work']:<50} against {s['against']:<8} exponent {s['exponent']:.3f} +- {s['half_width']:.3f}  "
              f"({s['fit_from']:g} to {s['sizes'][-1]:g})")
    file = os.path.join(arguments.out, "memory.toml")
    with open(file, "w") as stream:
        stream.write(EXPERIMENT)
    for paths, time in ((4096, 0.1), (4096, 1), (65536, 0.1), (65536, 1)):
        print(f"peak memory, {paths:>6} paths, {time / 0.01**2:>6.0f} steps: {peak_memory(arguments.sde, file, paths, time):.1f} MiB")
    try:
        figure(scalings, os.path.join(arguments.out, "scaling"))
    except ImportError as error:
        print(f"no figure: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
