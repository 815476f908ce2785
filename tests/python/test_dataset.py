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
        for text in ("Sharpness tr Hess", "Drift of x1", "none predicted", "SDE or ODE (theory)"):
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
