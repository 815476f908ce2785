"""Algorithm - slow SDE on common noise, as sde run writes it: known answers, times, schedules, interruptions, what has no pair."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import netCDF4
import numpy as np

SDE = sys.argv.pop(1)

RING = """[experiment]
paths = 256
time = 1.0
observations = 10
observe = ["x1", "x2"]
[loss]
name = "ring"
a = 0.5
[noise]
kind = "gaussian"
covariance = [1.0, 0.4, 0.4, 0.8]
[start]
at = [0.0, 1.0]
[training]
eta = 0.025
workers = 4
batch = 4
H = 10
dt = 0.01
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_local_sgd"
"""

HYPERBOLA = """[experiment]
paths = 64
pairs = 64
time = 1.0
observations = 10
[loss]
name = "hyperbola"
[noise]
kind = "label"
[start]
at = [2.0, 0.5]
[training]
eta = 0.01
workers = 4
batch = 4
H = 25
dt = 0.0025
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_ode_local_sgd"
"""


def run(text, *arguments, name="own", folder=None, expect=0):
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or temporary
        path = os.path.join(folder, name + ".toml")
        with open(path, "w") as stream:
            stream.write(text)
        r = subprocess.run([SDE, "run", path, "--out", folder, "--no-figure", "--quiet", "--json", *arguments],
                           capture_output=True, text=True, timeout=300)
        assert r.returncode == expect, r.stderr
        with open(os.path.join(folder, name + ".nc"), "rb") as stream:
            data = netCDF4.Dataset("memory", memory=stream.read())
        return data, json.loads(r.stdout), r.stderr


class Pairs(unittest.TestCase):
    def test_common_noise_leaves_a_small_part_of_the_interval(self):
        data, summary, _ = run(RING)
        self.assertEqual(list(data["pair_algorithm"][:]), ["Local SGD, H = 10"])
        self.assertEqual(list(data["pair_theory"][:]), ["Local SGD, H = 10 (slow SDE)"])
        self.assertEqual(data["pair_paths"][0], 128)
        self.assertEqual(data["difference_x1"][0, 0], 0)
        both = np.hypot(data["x1_se"][0, -1], data["x1_se"][1, -1]) * np.sqrt(2)  # of as many paths
        self.assertLess(data["difference_x1_se"][0, -1], 0.25 * both)
        self.assertGreater(data["difference_x1_se"][0, -1], 0)
        # The theory's error is of first order: below eta = 0.025 of order one quantities, and not the clouds' distance.
        self.assertLess(abs(data["difference_x1"][0, -1]), 0.025 + 5 * data["difference_x1_se"][0, -1])
        np.testing.assert_allclose(data["pair_slow_time"][0], data["time"][:], atol=1e-9)
        self.assertEqual(data["pair_gradient_evaluations"][0], 128 * 4 * 1600)
        (pair,) = summary["pairs"]
        self.assertEqual(pair["difference"]["x1"]["mean"], data["difference_x1"][0, -1])
        self.assertEqual(pair["gradient_evaluations"], 128 * 4 * 1600)

    def test_without_diffusion_it_is_the_difference_of_the_rows(self):
        data, _, _ = run(HYPERBOLA)
        rows = data["trace_hessian"][0] - data["trace_hessian"][1]
        np.testing.assert_allclose(data["slow_time"][0], data["pair_slow_time"][0], atol=1e-9)
        np.testing.assert_allclose(data["difference_trace_hessian"][0], rows, atol=2e-5)
        np.testing.assert_allclose(data["difference_trace_hessian_se"][0], data["trace_hessian_se"][0], rtol=1e-6, atol=1e-12)

    def test_double_steps_that_do_not_fit_end_within_the_run(self):
        data, _, _ = run(RING, "--set", "training.eta=0.02")  # rounds of 0.004, 25 between two observations
        times = data["pair_slow_time"][0]
        self.assertTrue(np.all(np.abs(times - data["time"][:]) <= 0.016), times)
        self.assertAlmostEqual(times[-1], 0.992, places=9)

    def test_every_slow_sde_of_the_group_is_one(self):
        more = "".join(f'[[method]]\nkind = "slow_local_sgd"\nname = "{n}"\n{k}\n'
                       for n, k in [("refined", "refined = true"), ("twice", "drift_2 = 2")])
        data, _, _ = run(RING + more)
        self.assertEqual(list(data["pair_theory"][:]), ["Local SGD, H = 10 (slow SDE)", "refined", "twice"])
        change = np.abs(data["difference_x2"][:, -1])
        self.assertGreater(change[2], 5 * data["difference_x2_se"][2, -1] + change[0])

    def test_schedules_have_pairs_to_their_end(self):
        for kind, more in [("sgd", "workers = 1\nbatch = 4"), ("local_sgd", 'sync = "qsr"\nbeta = 0.05'), ("post_local_sgd", "switch = 0.4")]:
            with self.subTest(kind=kind):
                text = RING.replace("H = 10\n", "").replace('"local_sgd"', f'"{kind}"').replace("slow_local_sgd", f"slow_{kind}")
                text = text.replace(f'kind = "{kind}"', f'kind = "{kind}"\n{more}').replace(f'kind = "slow_{kind}"', f'kind = "slow_{kind}"\n{more}')
                if kind == "post_local_sgd":
                    text = text.replace("[training]", "[training]\nH = 10")
                data, _, error = run(text, "--set", "training.schedule=cosine")
                self.assertEqual(len(data["pair_algorithm"][:]), 1, error)
                times = data["pair_slow_time"][0]
                self.assertLess(abs(times[-1] - data["slow_time"][0, -1]), 0.03)
                self.assertLess(abs(data["difference_x1"][0, -1]), 0.04 + 5 * data["difference_x1_se"][0, -1])

    def test_what_has_no_pair(self):
        alone = RING[:RING.rindex("[[method]]")]
        for text, arguments in [(RING, ["--set", "experiment.pairs=0"]), (alone, [])]:
            data, summary, error = run(text, *arguments)
            self.assertNotIn("pair_algorithm", data.variables)
            self.assertEqual(summary["pairs"], [])
            self.assertNotIn("common noise", error)
        data, summary, error = run(RING, "--set", "training.H=1500")
        self.assertNotIn("pair_algorithm", data.variables)
        self.assertIn("Local SGD, H = 1500: not beside its slow SDE on common noise: the run is shorter than two rounds", error)

    def test_same_bits_for_threads_and_interruptions(self):
        text = RING + '[[method]]\nkind = "sgd"\n[[method]]\nkind = "slow_sgd"\n'
        text = text.replace("paths = 256", "paths = 256\npairs = 256").replace("eta = 0.025", "eta = 0.004").replace("dt = 0.01", "dt = 0.001")
        started = time.monotonic()
        whole, _, _ = run(text)
        lasts = time.monotonic() - started
        three, _, _ = run(text, "--threads", "3")

        def same(a, b):
            for name in a.variables:
                if a[name].dtype != str:
                    np.testing.assert_array_equal(a[name][:], b[name][:], name)

        same(whole, three)
        for part in (0.3, 0.6, 0.9):
            with self.subTest(part=part), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "own.toml")
                with open(path, "w") as stream:
                    stream.write(text)
                process = subprocess.Popen([SDE, "run", path, "--out", folder, "--no-figure", "--quiet"],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(part * lasts)
                process.send_signal(signal.SIGINT)
                _, error = process.communicate(timeout=120)
                if process.returncode == 0:
                    continue  # it was faster than the one that was timed
                self.assertEqual(process.returncode, 130, error)
                data, _, _ = run(text, "--resume", folder=folder)
                same(whole, data)


if __name__ == "__main__":
    unittest.main()
