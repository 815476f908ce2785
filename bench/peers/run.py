#!/usr/bin/env python3
"""Runs every installed peer beside `sde bench` on this machine, checks that they compute the same thing (means within 5
standard errors of each other; where nothing is random, the same number), and writes one table (standard output,
peers.json) and one figure (peers.png, peers.svg).

    bench/peers/run.py build/release/bin/sde --out out/peers
    bench/peers/run.py build/release/bin/sde --only "flow map"
    bench/peers/run.py build/release/bin/sde --device cuda     PyTorch, torchsde, JAX and diffrax on the GPU

Peers are optional: pip install -r bench/peers/requirements.txt, best in an environment of its own. Missing ones, and works
that a peer's version cannot run, are named and left out. The C++ peer needs Boost and Eigen, which the toolkit needs too.
"""

import argparse
import atexit
import importlib.metadata
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

import works as w

VARIANTS = ("", ", float", ", weak", ", weak, float")


ON_GPU = ("PyTorch float64", "PyTorch float32", "torchsde", "JAX float64", "JAX float32", "diffrax")
LIBRARIES = ("numpy", "scipy", "numba", "torch", "torchsde", "jax", "diffrax")


def our_rates(sde, device):
    """The rates by work, and the device as `sde bench` names it."""
    out = subprocess.run([sde, "bench", "--json", "--quiet", "--device", device], stdout=subprocess.PIPE, text=True,
                         check=True)
    report = json.loads(out.stdout)
    return {r["work"]: r for r in report["rates"]}, report.get("device", f"{os.cpu_count()} threads")


def versions():
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def boost(names, arrays):
    """{work: function} of the C++ peer; a run gives seconds, mean, standard error."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    program = os.path.join(folder, "boost_peer")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boost", "main.cpp")
    # C++17: Boost's uBLAS, which Odeint's Rosenbrock method needs, does not compile as C++20.
    subprocess.run(["c++", "-O3", "-DNDEBUG", "-march=native", "-ffast-math", "-std=c++17", "-isystem",
                    "/usr/include/eigen3", source, "-o", program, "-pthread"], check=True)

    def runner(work):
        command = [program, work, str(w.WORKS[work].runs), str(os.cpu_count())]
        if work in arrays:
            command.append(os.path.join(folder, work))
            with open(command[-1], "w") as stream:
                for key in ("X", "y", "start"):
                    print(len(arrays[work][key]), *map(repr, arrays[work][key]), file=stream)

        def run():
            out = subprocess.run(command, capture_output=True, text=True, check=True)
            return [float(x) for x in out.stdout.split()]

        return run

    return {work: runner(work) for work in names}


def timed(function):
    """Best of three after one call that compiles: rate's seconds, mean, standard error."""
    sample = function()
    seconds = math.inf
    for _ in range(3):
        start = time.perf_counter()
        sample = function()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, float(sample.mean()), float(sample.std() / math.sqrt(len(sample)))


class Table:
    """Rows, and what in them is not the same work."""

    def __init__(self, ours, names, known):
        self.rows, self.wrong, self.known = [], [], known
        self.ours = {work: ours[w.WORKS[work].name] for work in names}
        for work in names:
            for variant in VARIANTS:
                if r := ours.get(w.WORKS[work].name + variant):
                    self.add("sde" + variant, work, r["per_second"], r["mean"], r["standard_error"])

    def add(self, peer, work, rate, mean, error):
        expected = {"sde": (self.ours[work]["mean"], self.ours[work]["standard_error"], 0)}
        if work in self.known:
            value, bias = self.known[work]
            expected["the closed form"] = (value, 0, bias)
        for who, (value, other_error, bias) in expected.items():
            if tolerance := w.WORKS[work].tolerance:
                allowed = tolerance["float" in peer and "float64" not in peer]
            else:
                # Finite precision and the peers' other time grids are far below this.
                allowed = 5 * math.hypot(error, other_error) + 2e-6 * abs(mean) + bias
            if not abs(mean - value) <= allowed:
                self.wrong.append(f"{peer}, {work}: mean {mean:.9g} +- {error:.2g}, {who} {value:.9g} +- "
                                  f"{other_error:.2g}, expected within {allowed:.2g}")
        self.rows.append({"work": work, "peer": peer, "rate": rate, "unit": w.WORKS[work].unit, "mean": mean,
                          "standard_error": error})
        if not peer.startswith("sde"):  # it takes minutes: what is known already
            print(f"{peer}, {work}: {rate:.4g} {w.WORKS[work].unit}/s", file=sys.stderr, flush=True)

    def of(self, work):
        return sorted((r for r in self.rows if r["work"] == work), key=lambda r: -r["rate"])

    def print(self, work):
        print(f"\n{w.WORKS[work].name}; mean: {self.ours[work]['observable']}")
        best = max((r["rate"] for r in self.of(work) if not r["peer"].startswith("sde")), default=math.nan)
        for r in self.of(work):
            rate = f"{r['rate'] / 1e6:10.4g} M steps/s" if r["unit"] == "steps" else f"{r['rate']:10.4g} {r['unit']}/s "
            mean = f"mean {r['mean']:.6f}"
            if not w.WORKS[work].tolerance:
                mean += f" +- {1.96 * r['standard_error']:.6f}"
            print(f"  {r['peer']:<18} {rate}  {r['rate'] / best:7.2f} of the best peer  {mean}")


def figure(table, names, prefix):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(4, len(names))
    lines = math.ceil(len(names) / columns)
    fig, axes = plt.subplots(lines, columns, figsize=(4 * columns, 3.3 * lines), layout="constrained", squeeze=False)
    for ax in axes.flat[len(names):]:
        ax.set_axis_off()
    for ax, work in zip(axes.flat, names):
        rows = table.of(work)[::-1]
        ax.barh([r["peer"] for r in rows], [r["rate"] for r in rows],
                color=["#0072B2" if r["peer"].startswith("sde") else "0.6" for r in rows])
        ax.set_xscale("log")
        slowest, fastest = rows[0]["rate"], rows[-1]["rate"]
        ax.set_xlim(10 ** math.floor(math.log10(slowest / 1.2)), 10 ** math.ceil(math.log10(fastest)))
        ax.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        ax.tick_params(axis="y", labelsize=7)
        ax.set_title(w.WORKS[work].name.replace("), ", "),\n"), fontsize=9)
        ax.set_xlabel(f"{w.WORKS[work].unit} a second")
    for ending in ("png", "svg"):
        fig.savefig(f"{prefix}.{ending}", dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sde", help="the built program")
    parser.add_argument("--out", default="out/peers", help="folder")
    parser.add_argument("--only", default="", help="peers' works whose name contains this")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda: every program on the GPU")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    names = [work for work in w.WORKS if arguments.only in w.WORKS[work].name]
    if not names:
        all_names = "; ".join(work.name for work in w.WORKS.values())
        parser.error(f"--only {arguments.only}: expected part of one of {all_names}")
    on_gpu = arguments.device != "cpu"
    if on_gpu:
        w.use_gpu()
    ours, device = our_rates(arguments.sde, arguments.device)
    names = [work for work in names if w.WORKS[work].name in ours]  # on a GPU there are fewer
    arrays = {work: ours[w.WORKS[work].name].get("arrays") for work in w.WORKS if w.WORKS[work].name in ours}
    arrays = {work: a for work, a in arrays.items() if a}
    known = dict(w.KNOWN)
    try:
        import peers

        if "diagonal_flow" in arrays:
            known["diagonal_flow"] = (peers.peers_flow.Diagonal(arrays).known(), 0)
        python_peers = ON_GPU if on_gpu else list(peers.PEERS)
    except ImportError as error:
        print(f"left out: every Python peer ({error})", file=sys.stderr)
        python_peers = []
    table = Table(ours, names, known)

    for work, run in ({} if on_gpu else boost([n for n in names if n != "perceptron_sgd"], arrays)).items():
        run()
        seconds, mean, error = min(run() for _ in range(3))
        table.add("C++ with Boost", work, w.counted(work) / seconds, mean, error)
    for peer in python_peers:
        try:
            functions = peers.functions_of(peer, arrays)
        except ImportError as error:
            print(f"left out: {peer} ({error})", file=sys.stderr)
            continue
        for work in functions:
            if work not in names:
                continue
            try:
                seconds, mean, error = timed(functions[work])
            except Exception as failed:  # a peer of another version; the other peers' numbers stand
                reason = (str(failed).splitlines() or [""])[0]
                print(f"left out: {peer}, {work} ({type(failed).__name__}: {reason})", file=sys.stderr)
                continue
            table.add(peer, work, w.counted(work) / seconds, mean, error)
    libraries = versions()
    print(f"{device}; {', '.join(f'{library} {version}' for library, version in libraries.items())}")
    for work in names:
        table.print(work)
    with open(os.path.join(arguments.out, "peers.json"), "w") as stream:
        json.dump({"device": device, "versions": libraries, "rows": table.rows}, stream, indent=2)
    try:
        figure(table, names, os.path.join(arguments.out, "peers"))
    except ImportError as error:
        print(f"no figure: {error}", file=sys.stderr)
    for line in table.wrong:
        print(f"NOT the same work: {line}", file=sys.stderr)
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
