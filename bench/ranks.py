#!/usr/bin/env python3
"""How a run scales over MPI ranks: strong (one number of paths for all) and weak (as many for each rank), beside threads of one process.

  bench/ranks.py SDE [--file experiments/main.toml] [--paths 8192] [--most 4] [--repeats 3] [--set KEY=VALUE]...

Ranks have one thread each. Rates are path-steps a second of the wall clock, of the fastest of the repeats, which take turns; beside
them the processor's seconds, which other programs on the machine disturb less. A share is the rate over that of one thread times the ranks.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time

MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(command):
    """Seconds of the wall clock and of the processor, and what the program prints."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **MPI})
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sde")
    parser.add_argument("--file", default="experiments/main.toml")
    parser.add_argument("--paths", type=int, default=8192, help="of strong scaling, and of each rank of weak scaling")
    parser.add_argument("--most", type=int, default=4, help="ranks")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    ranks = [n for n in (1, 2, 3, 4, 8, 16, 32, 64, 128) if n <= options.most]
    cases = [("threads", n, options.paths) for n in ranks]
    cases += [("ranks", n, options.paths) for n in ranks] + [("ranks", n, n * options.paths) for n in ranks[1:]]
    with tempfile.TemporaryDirectory() as out:

        def command(how, n, paths):
            own = [options.sde, "run", options.file, "--no-figure", "--quiet", "--json", "--out", out, "--set", f"experiment.paths={paths}",
                   "--set", "experiment.pairs=0", "--threads", str(n if how == "threads" else 1)]
            own += [word for s in options.set for word in ("--set", s)]
            return own if how == "threads" else ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(n), *own]

        times = {case: [] for case in cases}
        steps = {}
        for _ in range(options.repeats):
            for case in cases:
                wall, cpu, printed = run(command(*case))
                times[case].append((wall, cpu))
                steps[case] = sum(m["gradient_evaluations"] for m in json.loads(printed)["methods"])
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} at the end")
    print(f"{'how':<8} {'n':>3} {'paths':>8} {'wall s':>8} {'cpu s':>8} {'gradients/s':>12} {'share':>6} {'of threads':>10}")
    rate = {case: steps[case] / min(w for w, _ in times[case]) for case in cases}
    for case in cases:
        how, n, paths = case
        threads = rate.get(("threads", n, options.paths), float("nan"))
        print(f"{how:<8} {n:>3} {paths:>8} {min(w for w, _ in times[case]):>8.2f} {min(c for _, c in times[case]):>8.2f} {rate[case]:>12.3g} "
              f"{rate[case] / (n * rate['threads', 1, options.paths]):>6.2f} {rate[case] / threads:>10.2f}")


if __name__ == "__main__":
    main()
