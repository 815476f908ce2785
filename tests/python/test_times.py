"""When rows end, and where they are observed: a slow SDE beside its algorithm at the ends of that one's rounds, schedules of
rates at their end. Usage: test_times.py SDE_BINARY"""

import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

import netCDF4

SDE = sys.argv.pop(1)

HYPERBOLA = """
[experiment]
paths = 64
time = 0.1
observations = 1
[loss]
name = "hyperbola"
[noise]
kind = "label"
sigma2 = 1.0
[start]
at = [2.0, 0.5]
[training]
eta = 0.02
workers = 4
batch = 4
[[method]]
kind = "sgd"
[[method]]
kind = "slow_ode_sgd"
[[method]]
kind = "local_sgd"
H = 200
[[method]]
kind = "slow_ode_local_sgd"
H = 200
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_file(self, text, *arguments):
        path = os.path.join(self.folder.name, "mine.toml")
        with open(path, "w") as file:
            file.write(text)
        r = subprocess.run([SDE, "run", path, "--no-figure", "--quiet", "--out", self.folder.name, "--set", "experiment.pairs=0", *arguments], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r

    def rows(self, text, *arguments):
        return {m["name"]: m for m in json.loads(self.run_file(text, "--json", *arguments).stdout)["methods"]}

    def observed(self, text, *arguments):
        """Slow times and tr Hess by row."""
        r = self.run_file(text, *arguments)
        with netCDF4.Dataset(os.path.join(self.folder.name, "mine.nc")) as data:
            times, values = data["slow_time"][:].tolist(), data["trace_hessian"][:].tolist()
            return dict(zip(data["run"][:], times)), dict(zip(data["run"][:], values)), r.stderr


class EndTimes(Case):
    def test_algorithm_and_theory_at_the_same_time(self):
        rows = self.rows(HYPERBOLA)
        local, ode = rows["Local SGD, H = 200"], rows["Local SGD, H = 200 (slow ODE)"]
        self.assertAlmostEqual(local["slow_time"], 0.08, 12)  # a round; 0.1 is not the end of one
        self.assertEqual(local["slow_time"], ode["slow_time"])
        self.assertEqual(rows["SGD"]["slow_time"], 0.1)
        self.assertEqual(rows["SGD (slow ODE)"]["slow_time"], 0.1)
        self.assertAlmostEqual(ode["final"]["trace_hessian"]["mean"], 4.00337, 5)
        # dq/dt = -(1/B) q of SGD, from q = 3.75
        q = 3.75 * math.exp(-0.1 / 4)
        self.assertAlmostEqual(rows["SGD (slow ODE)"]["final"]["trace_hessian"]["mean"], math.hypot(q, 2), 9)
        difference = local["final"]["trace_hessian"]["mean"] - ode["final"]["trace_hessian"]["mean"]
        self.assertLess(abs(difference), 0.03)  # 3.94541 at slow time 0.1 would be twice as far

    def test_the_table_has_the_time_of_each_row(self):
        lines = [" ".join(line.split()) for line in self.run_file(HYPERBOLA).stdout.splitlines()]
        self.assertTrue(any("slow time" in line and line.startswith("method") for line in lines), lines)
        for start in ("Local SGD, H = 200 0.02 200 4 1 0.08 ", "Local SGD, H = 200 (slow ODE) 0.02 200 4 0.08 ", "SGD 0.02 1 0.02 250 0.1 "):
            self.assertTrue(any(line.startswith(start) for line in lines), (start, lines))

    def test_repeated_observations_are_said_and_theory_repeats_with_them(self):
        file = HYPERBOLA.replace("H = 200", "H = 130")  # a round lasts 0.052
        times, values, said = self.observed(file, "--set", "experiment.time=0.06", "--set", "experiment.observations=4")
        local, ode = "Local SGD, H = 130", "Local SGD, H = 130 (slow ODE)"
        for found, expected in zip(times[local], (0, 0, 0.052, 0.052, 0.052)):
            self.assertAlmostEqual(found, expected, 12)
        self.assertEqual(times[local], times[ode])
        for row in (values[local], values[ode]):
            self.assertEqual((row[0], row[2], row[2]), (row[1], row[3], row[4]))
        self.assertNotEqual(values[ode][1], values[ode][2])
        self.assertIn(f"{local}: 3 of its 4 observations repeat the one before, since no round ends between them "
                      "(with experiment.observations = 1 each has a time of its own)", said)
        self.assertEqual(said.count("repeat"), 1)  # not of SGD
        _, _, said = self.observed(file, "--set", "experiment.time=0.06", "--set", "experiment.observations=1")
        self.assertEqual(said, "")

    def test_a_slow_sde_without_its_algorithm_is_observed_as_asked(self):
        alone = HYPERBOLA.split("[[method]]")[0] + '[[method]]\nkind = "slow_ode_local_sgd"\nH = 200\n'
        rows = self.rows(alone)
        self.assertEqual(rows["Local SGD, H = 200 (slow ODE)"]["slow_time"], 0.1)

    def test_a_group_decides_what_stands_beside_what(self):
        file = HYPERBOLA.replace('kind = "local_sgd"', 'kind = "local_sgd"\nname = "rounds"\ngroup = "SGD"')
        rows = self.rows(file)
        # Beside SGD, of the same settings, though Local SGD is of the group, too; without its own, as asked for.
        self.assertEqual(rows["SGD (slow ODE)"]["slow_time"], 0.1)
        self.assertEqual(rows["Local SGD, H = 200 (slow ODE)"]["slow_time"], 0.1)
        rows = self.rows(file.replace('kind = "sgd"', 'kind = "sgd"\ngroup = "mine"'))
        self.assertAlmostEqual(rows["SGD (slow ODE)"]["slow_time"], 0.08, 12)

    def test_random_slow_sde_at_the_ends_of_rounds(self):
        with open("experiments/sphere.toml") as file:
            text = file.read()
        times, values, said = self.observed(text, "--set", "experiment.paths=4")
        self.assertEqual(said, "")
        local = times["Local SGD, H = 50"]
        for t in local:
            self.assertAlmostEqual(t / 0.02, round(t / 0.02), 9)
        for own, beside in zip(local, times["Local SGD, H = 50 (slow SDE)"]):
            self.assertAlmostEqual(own, beside, 12)


    def test_repeats_of_a_random_slow_sde_cost_it_nothing(self):
        with open("experiments/sphere.toml") as file:
            text = file.read()
        name = "Local SGD, H = 50 (slow SDE)"
        once, twice = (self.rows(text, "--set", "experiment.paths=40", "--set", f"experiment.observations={n}")[name] for n in (100, 200))
        self.assertEqual(once, twice)  # no step is taken between two observations at one time


class Schedules(Case):
    METHODS = """
[[method]]
kind = "qsr"
beta = 0.2
[[method]]
kind = "slow_qsr"
beta = 0.2
[[method]]
kind = "post_local_sgd"
switch = 0.3
H = 25
[[method]]
kind = "conventional_sgd"
"""

    def ring(self, *assignments):
        with open("experiments/ring.toml") as file:
            text = file.read() + self.METHODS
        sets = [word for a in ("experiment.time=0.5", "experiment.paths=128", *assignments) for word in ("--set", a)]
        return self.rows(text, *sets)

    def steps_of(self, row, workers):
        return row["gradient_evaluations"] / row["paths"] / workers

    def test_all_steps_of_a_step_schedule_are_run(self):
        rows = self.ring("training.schedule=step")
        self.assertEqual(self.steps_of(rows["SGD"], 1), 2487)
        self.assertEqual(self.steps_of(rows["Local SGD, H = 25"], 4), 2487)
        self.assertEqual(self.steps_of(rows["QSR"], 4), 2487)
        self.assertEqual(self.steps_of(rows["SGD (conventional SDE)"], 4), 2487)  # four substeps each
        switch = round(0.3 * 2487)
        self.assertEqual(self.steps_of(rows["Post-local SGD, H = 25"], 1), switch + 4 * (2487 - switch))
        ends = [row["slow_time"] for row in rows.values()]
        self.assertLess(max(ends) - min(ends), 1e-12)
        self.assertLess(abs(ends[0] - 0.5), 0.02**2)
        # The rate of the last quarter is a hundredth of the first: so is the noise of all, which differ by their averages.
        losses = [row["final"]["loss"]["mean"] for name, row in rows.items() if "SDE" not in name]
        self.assertLess(max(losses) / min(losses), 4)
        self.assertLess(max(losses), 1e-3)

    def test_the_last_phase_is_run_under_every_schedule(self):
        for schedule in (("training.schedule=cosine",), ("training.schedule=linear",), ("training.warmup=500",)):
            rows = self.ring(*schedule)
            steps = self.steps_of(rows["SGD"], 1)
            for name, workers in (("Local SGD, H = 25", 4), ("QSR", 4)):
                self.assertEqual(self.steps_of(rows[name], workers), steps, (schedule, name))
            ends = [row["slow_time"] for row in rows.values()]
            self.assertLess(max(ends) - min(ends), 1e-12, schedule)


if __name__ == "__main__":
    unittest.main()
