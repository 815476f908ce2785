#!/usr/bin/env python3
"""Runs every installed peer beside `sde bench` on this machine, checks that they compute the same thing (means within 5
standard errors of each other), and writes one table (standard output, peers.json) and one figure (peers.png, peers.svg).

    bench/peers/run.py build/release/bin/sde --out out/peers

Peers are optional: pip install numpy numba torch torchsde jax diffrax matplotlib. Missing ones are named and left out.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import works as w

NAMES = {"linear": "linear SDE", "ring_sde": "slow SDE, ring", "ring_sgd": "Local SGD (K = 8, H = 20), ring",
         "hyperbola_sgd": "Local SGD (K = 8, H = 20), hyperbola"}


def our_rates(sde):
    rates = {}
    for part in ("linear SDE", "ring", "hyperbola"):
        out = subprocess.run([sde, "bench", "--json", "--quiet", "--only", part], capture_output=True, text=True, check=True)
        for r in json.loads(out.stdout)["rates"]:
            rates[r["work"]] = r
    return rates


def boost(threads):
    folder = tempfile.mkdtemp()
    program = os.path.join(folder, "boost_peer")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boost_peer.cpp")
    subprocess.run(["c++", "-O3", "-march=native", "-std=c++20", source, "-o", program, "-pthread"], check=True)

    def run(work):
        out = subprocess.run([program, work, str(w.PATHS[work]), str(threads)], capture_output=True, text=True, check=True)
        return [float(x) for x in out.stdout.split()]

    return {work: (lambda work=work: run(work)) for work in ("linear", "ring_sgd", "hyperbola_sgd")}


def timed(function):
    """Best of three after one call that compiles: rate's seconds, mean, standard error."""
    sample = function()
    seconds = math.inf
    for _ in range(3):
        start = time.perf_counter()
        sample = function()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, float(sample.mean()), float(sample.std() / math.sqrt(len(sample)))


def figure(table, prefix):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    works = list(NAMES)
    fig, axes = plt.subplots(1, len(works), figsize=(4 * len(works), 3.6), layout="constrained")
    for ax, work in zip(axes, works):
        rows = sorted((r for r in table if r["work"] == work), key=lambda r: r["rate"])
        ax.barh([r["peer"] for r in rows], [r["rate"] for r in rows],
                color=["#0072B2" if r["peer"].startswith("sde") else "0.6" for r in rows])
        ax.set_xscale("log")
        ax.set_xlim(left=1e6)
        ax.set_title(NAMES[work], fontsize=9)
        ax.set_xlabel("steps a second")
    for ending in ("png", "svg"):
        fig.savefig(f"{prefix}.{ending}", dpi=200)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sde", help="the built program")
    parser.add_argument("--out", default="out/peers", help="folder")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    threads = os.cpu_count()
    ours = our_rates(arguments.sde)
    reference = {work: ours[name] for work, name in NAMES.items()}
    table, wrong = [], []

    def check(peer, work, mean, error):
        ref = reference[work]
        # Finite precision and the peers' other time grids are far below this.
        if not abs(mean - ref["mean"]) < 5 * math.hypot(error, ref["standard_error"]) + 2e-6 * abs(mean):
            wrong.append(f"{peer}, {work}: mean {mean:.6g} +- {error:.2g}, sde {ref['mean']:.6g} +- {ref['standard_error']:.2g}")

    for work, name in NAMES.items():
        table.append({"work": work, "peer": "sde", "rate": ours[name]["per_second"], "mean": reference[work]["mean"],
                      "standard_error": reference[work]["standard_error"]})
        for variant in (", float", ", weak", ", weak, float"):
            if other := ours.get(name + variant):
                table.append({"work": work, "peer": "sde" + variant, "rate": other["per_second"], "mean": other["mean"],
                              "standard_error": other["standard_error"]})
                check("sde" + variant, work, other["mean"], other["standard_error"])

    def record(peer, work, seconds, mean, error):
        check(peer, work, mean, error)
        table.append({"work": work, "peer": peer, "rate": w.steps(work) / seconds, "mean": mean, "standard_error": error})

    for work, run in boost(threads).items():
        run()
        record("C++ with Boost", work, *min(run() for _ in range(3)))
    try:
        import peers
        makers = peers.PEERS
    except ImportError as error:
        print(f"left out: every Python peer ({error})", file=sys.stderr)
        makers = {}
    for peer, make in makers.items():
        try:
            functions = make()
        except ImportError as error:
            print(f"left out: {peer} ({error})", file=sys.stderr)
            continue
        for work, function in functions.items():
            record(peer, work, *timed(function))
    for work, name in NAMES.items():
        print(f"\n{name}")
        rows = sorted((r for r in table if r["work"] == work), key=lambda r: -r["rate"])
        best = max(r["rate"] for r in rows if not r["peer"].startswith("sde"))
        for r in rows:
            mean = f"mean {r['mean']:.6f} +- {1.96 * r['standard_error']:.6f}" if "mean" in r else ""
            print(f"  {r['peer']:<18} {r['rate'] / 1e6:10.1f} M steps/s  {r['rate'] / best:7.2f} of the best peer  {mean}")
    with open(os.path.join(arguments.out, "peers.json"), "w") as stream:
        json.dump({"threads": threads, "rows": table}, stream, indent=2)
    try:
        figure(table, os.path.join(arguments.out, "peers"))
    except ImportError as error:
        print(f"no figure: {error}", file=sys.stderr)
    for line in wrong:
        print(f"NOT the same work: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
