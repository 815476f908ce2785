"""A dataset as xarray shows it, and the figures drawn from it. Usage: test_dataset.py SDE_BINARY"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import xarray

SDE = sys.argv.pop(1)


RING = """
[experiment]
paths = 3000
time = 0.3
observations = 3
observe = ["x1"]
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [1, 0.3, 0.3, 0.5]
[start]
at = [0.6, 0.8]
[training]
eta = 0.02
workers = 4
batch = 4
[[method]]
kind = "local_sgd"
H = 5
[[method]]
kind = "slow_local_sgd"
H = 5
dt = 0.01
refined = true
[[method]]
kind = "sgd"
schedule = "step"
milestones = [0.3, 0.6]
eta = 0.01
paths = 20
"""


def ring(out, *more):
    """The ring's dataset, in memory."""
    file = os.path.join(out, "ring.toml")
    with open(file, "w") as f:
        f.write(RING)
    subprocess.run([SDE, "run", file, "--out", out, "--no-figure", "--quiet", *more], check=True, capture_output=True)
    with xarray.open_dataset(os.path.join(out, "ring.nc")) as data:
        return data.load()


class Correlated(unittest.TestCase):
    """On a problem whose noise is correlated."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = ring(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_whole_diffusion_matrix(self):
        d = self.data
        self.assertEqual(d.diffusion_matrix.dims, ("run", "time", "row", "column"))
        self.assertEqual(d.diffusion_matrix_measured.dims, ("run", "interval", "row", "column"))
        # At the start Sigma_par/B = t t^T (t . Sigma t)/B with t = (-0.8, 0.6).
        along = np.array([-0.8, 0.6])
        size = along @ np.array([[1, 0.3], [0.3, 0.5]]) @ along / 4
        np.testing.assert_allclose(d.diffusion_matrix.isel(run=1, time=0), np.outer(along, along) * size, rtol=1e-6)
        for name, diagonal in (("diffusion_matrix", "diffusion"), ("diffusion_matrix_measured", "diffusion_measured"),
                               ("diffusion_matrix_se", "diffusion_se"), ("diffusion_matrix_measured_se", "diffusion_measured_se")):
            matrix = d[name].values
            np.testing.assert_array_equal(matrix, np.swapaxes(matrix, -1, -2), name)
            np.testing.assert_array_equal(np.diagonal(matrix, axis1=-2, axis2=-1), d[diagonal].values, name)
        # The slow SDE moves as predicted: all entries within 4 standard errors and what changes within an interval.
        predicted = 0.5 * (d.diffusion_matrix.values[1, 1:] + d.diffusion_matrix.values[1, :-1])
        gap = np.abs(d.diffusion_matrix_measured.values[1] - predicted)
        self.assertTrue((gap < 4 * d.diffusion_matrix_measured_se.values[1] + 0.15 * size).all(), gap)
        self.assertTrue((d.diffusion_matrix_measured_se.values[1] > 0).all())
        self.assertLess(d.diffusion_matrix_measured.values[1, 0, 0, 1], 0)

    def test_every_key_is_a_variable(self):
        d = self.data
        keys = json.loads(d.attrs["keys"])
        listed = {line.split("|")[1].strip() for line in subprocess.run([SDE, "list", "--markdown"], capture_output=True, text=True,
                                                                          check=True).stdout.splitlines()[2:]}
        self.assertLessEqual(set(keys), listed)
        self.assertLessEqual({"eta", "workers", "batch", "H", "dt", "sync", "refined", "milestones", "schedule", "seed", "paths"}, set(keys))
        for variable in keys.values():
            self.assertEqual(d[variable].dims, ("run",))
        np.testing.assert_array_equal(d.eta, [0.02, 0.02, 0.01])
        np.testing.assert_array_equal(d.batch, [4, 4, 4])
        np.testing.assert_array_equal(d.workers, [4, 4, np.nan])  # SGD has none
        np.testing.assert_array_equal(d[keys["H"]], [5, 5, np.nan])
        np.testing.assert_array_equal(d.H, [5, 5, 1])  # as it was: of the rounds
        np.testing.assert_array_equal(d.dt, [np.nan, 0.01, np.nan])
        np.testing.assert_array_equal(d.refined, [np.nan, 1, np.nan])
        self.assertEqual(list(d.sync.values), ["constant", "constant", ""])
        self.assertEqual(list(d.milestones.values), ["[]", "[]", "[0.3, 0.6]"])
        self.assertEqual(list(d.schedule.values), ["constant", "constant", "step"])
        self.assertEqual(d.seed.dtype.kind, "i")

    def test_numbers_in_attributes_are_short_and_the_noise_that_runs_share_is_said(self):
        self.assertIn("covariance = [ 1, 0.3, 0.3, 0.5 ]", self.data.attrs["experiment"])
        self.assertIn("0.3, 0.3", self.data.attrs["noise"])
        self.assertNotIn("0000000", self.data.attrs["experiment"])
        self.assertNotIn("9999999", self.data.attrs["experiment"])
        self.assertIn("same seed", self.data.attrs["common_noise"])

    def test_what_gamma_is_like_at_the_start(self):
        self.assertRegex(self.data.attrs["gamma"], "^dimension 1 of 2, Hessian of rank 1, eigenvalue [0-9.]+; residuals vanish$")
        self.assertEqual((self.data.attrs["gamma_dimension"], self.data.attrs["hessian_rank"]), (1, 1))
        self.assertAlmostEqual(float(self.data.attrs["gamma"].split("eigenvalue ")[1].split(";")[0]), float(self.data.trace_hessian[0, 0]), delta=1e-3)

    def test_single_paths_are_those_of_the_mean(self):
        with tempfile.TemporaryDirectory() as out:
            kept = ring(out, "--set", "experiment.save_paths=40")
            self.assertEqual(kept.x1_paths.dims, ("run", "path", "time"))
            self.assertEqual(kept.x1_paths.shape, (3, 40, 4))
            self.assertTrue(np.isnan(kept.x1_paths[2, 20:]).all())  # SGD has 20
            np.testing.assert_allclose(kept.x1_paths[2, :20].mean("path"), kept.x1[2], rtol=1e-12)
            for name in self.data.data_vars:
                np.testing.assert_array_equal(self.data[name], kept[name], name)
            few = ring(out, "--set", "experiment.save_paths=5000", "--threads", "3", "--set", "experiment.paths=100")
            self.assertEqual(few.x1_paths.shape[1], 100)
            np.testing.assert_array_equal(few.x1_paths[:, :40], kept.x1_paths)
            np.testing.assert_allclose(few.trace_hessian_paths.mean("path")[:2], few.trace_hessian[:2], rtol=1e-12)
            bad = subprocess.run([SDE, "run", os.path.join(out, "ring.toml"), "--set", "experiment.save_paths=-1"], capture_output=True, text=True)
            self.assertEqual(bad.returncode, 2)
            self.assertIn("save_paths", bad.stderr)


class Dataset(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([SDE, "run", "experiments/main.toml", "--set", "experiment.paths=16", "--set", "experiment.time=0.5", "--set",
                        "experiment.observations=10", "--out", cls.folder.name], check=True, capture_output=True)
        cls.data = xarray.open_dataset(os.path.join(cls.folder.name, "main.nc"))

    @classmethod
    def tearDownClass(cls):
        cls.data.close()
        cls.folder.cleanup()

    def test_labelled_dimensions_units_and_names(self):
        d = self.data
        self.assertEqual(d.trace_hessian.dims, ("run", "time"))
        self.assertEqual(d.drift_1.dims, ("run", "time", "component"))
        self.assertEqual(d.drift_measured.dims, ("run", "interval", "component"))
        self.assertEqual(d.loss_quantile.dims, ("run", "time", "quantile"))
        self.assertIn("SGD", d.run.values)
        self.assertEqual(list(d.component.values), ["x1", "x2"])
        self.assertEqual(d.time.attrs["units"], "eta^2 * local steps")
        for name, v in d.variables.items():
            self.assertIn("long_name", v.attrs, name)
        self.assertAlmostEqual(float(d.trace_hessian.sel(run="SGD (slow ODE)", time=0)), 6.41, places=9)

    def test_values_are_sane(self):
        d = self.data
        names = json.loads(d.attrs["observables"])
        self.assertEqual(names[:5], ["loss", "trace_hessian", "lambda_max", "distance", "disagreement"])
        for name in names:
            self.assertTrue((d[name + "_se"].fillna(0) >= 0).all())
            self.assertTrue((np.diff(d[name + "_quantile"].values, axis=-1) >= 0).all())
        q = d[names[-1]]
        self.assertIn("x1^2 - x2^2", q.attrs["long_name"])
        # SGD's slow ODE: q0 exp(-sigma^2 t/B), at every observation.
        np.testing.assert_allclose(q.sel(run="SGD (slow ODE)"), (2.5**2 - 0.4**2) * np.exp(-d.time / 8), atol=1e-8)
        self.assertTrue((d.paths_lost == 0).all())

    def test_everything_to_repeat_the_run_is_inside(self):
        a = self.data.attrs
        for key in ("experiment", "seed", "sde_version", "command_line", "title", "loss", "noise", "eta", "workers", "batch"):
            self.assertIn(key, a)
        self.assertIn("paths = 16", a["experiment"])

    def test_repeating_from_the_recorded_experiment_gives_the_same_numbers(self):
        with tempfile.TemporaryDirectory() as again:
            path = os.path.join(again, "main.toml")
            with open(path, "w") as f:
                f.write(self.data.attrs["experiment"])
            subprocess.run([SDE, "run", path, "--out", again, "--no-figure"], check=True, capture_output=True)
            with xarray.open_dataset(os.path.join(again, "main.nc")) as copy:
                xarray.testing.assert_equal(copy, self.data)

    def test_only_finished_files(self):
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["main.nc", "main.png", "main.svg"])

    def test_figures(self):
        for name, magic in (("main.png", b"\x89PNG"), ("main.svg", b"<?xml")):
            with open(os.path.join(self.folder.name, name), "rb") as f:
                self.assertTrue(f.read().startswith(magic))
        with open(os.path.join(self.folder.name, "main.svg")) as f:
            svg = f.read()
        for text in ("Sharpness tr Hess", "Drift of", "none predicted", "SDE or ODE (theory)"):
            self.assertTrue(text in svg, f"{text} is not in the figure")

    def test_plot_says_what_is_wrong(self):
        nc = os.path.join(self.folder.name, "main.nc")
        for arguments, code, word in [([nc, "--observable", "sharpness"], 2, "trace_hessian"), ([nc, "--component", "x9"], 2, "x1, x2"),
                                      (["nowhere.nc"], 4, "no such file"), ([nc, "--out", "/nonexistent/x"], 4, "cannot be written"),
                                      ([nc, "--formats", "bmp"], 2, "png")]:
            r = subprocess.run([SDE, "plot", *arguments], capture_output=True, text=True)
            self.assertEqual(r.returncode, code, (arguments, r.stderr))
            self.assertIn(word, r.stderr)
        with tempfile.TemporaryDirectory() as out:
            r = subprocess.run([SDE, "plot", nc, nc, "--observable", "lambda_max", "--component", "x2", "--out", out + "/two"])
            self.assertEqual((r.returncode, sorted(os.listdir(out))), (0, ["two.png", "two.svg"]))


if __name__ == "__main__":
    unittest.main()
