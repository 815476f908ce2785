"""Sweeps from outside: one dataset, the bits of single runs, interruptions, what fails and what is refused, the figure.
Usage: test_sweep.py SDE_BINARY"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
import xarray

SDE = os.path.abspath(sys.argv.pop(1))
SANITIZED = bool(os.environ.get("SDE_SANITIZE"))

EXPERIMENT = """
[experiment]
paths = 64
time = 0.1
observations = 2
observe = ["x1", "x1*x2"]
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [1, 0.3, 0.3, 0.5]
[training]
eta = 0.02
workers = 2
batch = 4
[[method]]
kind = "local_sgd"
H = 5
[[method]]
kind = "slow_local_sgd"
H = 5
dt = 0.01
"""
SWEEP = ["--sweep", "training.eta=0.01,0.02", "--sweep", "method.*.H=geom:5:20:3"]


def sde(*arguments):
    return subprocess.run([SDE, *arguments], capture_output=True, text=True, timeout=300)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")
        self.file = self.write(EXPERIMENT)

    def write(self, text, name="ring"):
        file = os.path.join(self.folder.name, f"{name}.toml")
        with open(file, "w") as f:
            f.write(text)
        return file

    def run_sweep(self, *arguments, code=0, out=None):
        r = sde("run", self.file, "--out", out or self.out, "--no-figure", *arguments)
        self.assertEqual(r.returncode, code, r.stderr + r.stdout)
        return r

    def dataset(self, out=None):
        with xarray.open_dataset(os.path.join(out or self.out, "ring.nc")) as data:
            return data.load()


class Dataset(Folder):
    def test_labelled_dimensions_with_the_bits_of_single_runs(self):
        self.run_sweep(*SWEEP)
        self.assertEqual(os.listdir(self.out), ["ring.nc"])
        data = self.dataset()
        self.assertEqual(data.x1.dims, ("eta", "H", "run", "time"))
        self.assertEqual(list(data.H.values), [5, 10, 20])
        self.assertEqual(list(data.run.values), ["Local SGD", "Local SGD (slow SDE)"])
        self.assertEqual(data.eta.attrs["long_name"], "swept key training.eta")
        for eta, H in ((0.01, 20), (0.02, 10)):
            single = os.path.join(self.folder.name, f"{H}")
            self.run_sweep("--set", f"training.eta={eta}", "--set", f"method.*.H={H}", out=single)
            one, cell = self.dataset(single), data.sel(eta=eta, H=H)
            compared = 0
            for name, v in one.variables.items():
                if name in ("run", "group", "pair_algorithm", "pair_theory"):  # without what is swept
                    continue
                of_cell = cell["run_" + name if name in ("eta", "H") else name]
                self.assertEqual(v.values.tobytes() if v.dtype != object else list(v.values),
                                 of_cell.values.tobytes() if v.dtype != object else list(of_cell.values), name)
                self.assertEqual(v.attrs, of_cell.attrs, name)
                compared += 1
            self.assertGreater(compared, 30)

    def test_the_recorded_experiment_repeats_the_sweep(self):
        self.run_sweep(*SWEEP)
        data = self.dataset()
        self.assertIn("paths = 64", data.attrs["experiment"])
        again = os.path.join(self.folder.name, "again")
        self.file = self.write(data.attrs["experiment"])
        self.run_sweep(out=again)
        xarray.testing.assert_identical(self.dataset(again).assign_attrs(command_line=""), data.assign_attrs(command_line=""))

    def test_zip_has_one_dimension(self):
        self.run_sweep("--sweep", "training.eta=0.01,0.02", "--sweep", "method.*.H=10,5", "--zip")
        data = self.dataset()
        self.assertEqual(data.x1.dims, ("cell", "run", "time"))
        self.assertEqual(list(data.eta.values), [0.01, 0.02])
        self.assertEqual(list(data.H.values), [10, 5])
        self.assertIn("H", data.x1.coords)
        # The same cells as those of the product.
        product = os.path.join(self.folder.name, "product")
        self.run_sweep(*SWEEP, out=product)
        np.testing.assert_array_equal(data.x1[1], self.dataset(product).x1.sel(eta=0.02, H=5))

    def test_pairs_of_the_cells_that_have_them(self):
        self.run_sweep("--sweep", "method.*.H=200,5")  # the first is shorter than two rounds
        data = self.dataset()
        self.assertEqual(list(data.pair_algorithm.values), ["Local SGD"])
        self.assertEqual(list(data.pair_theory.values), ["Local SGD (slow SDE)"])
        self.assertEqual(data.difference_x1.dims, ("H", "pair", "time"))
        self.assertTrue(np.isfinite(data.difference_x1.sel(H=5)).all())
        self.assertTrue(np.isnan(data.difference_x1.sel(H=200)).all())
        self.assertEqual(list(data.pair_paths[:, 0].values), [0, 64])

    def test_what_gamma_is_like_where_cells_have_the_same_and_where_not(self):
        same = "dimension 1 of 2, Hessian of rank 1, eigenvalue 6; residuals vanish"  # 4 (1 + x/2) at x = 1
        r = self.run_sweep("--sweep", "training.eta=0.01,0.02", "--set", "start.at=[1,0]")
        self.assertEqual(r.stdout.splitlines()[2:4], ["Gamma at the start: " + same, ""])
        self.assertEqual(self.dataset().attrs["gamma"], same)
        r = self.run_sweep("--sweep", "start.at=[0, 1],[1, 0]")
        self.assertNotIn("Gamma", r.stdout + r.stderr)
        self.assertNotIn("gamma", self.dataset().attrs)
        self.assertEqual((self.dataset().attrs["gamma_dimension"], self.dataset().attrs["hessian_rank"]), (1, 1))

    def test_warnings_of_gamma_name_the_cell(self):
        self.file = self.write(EXPERIMENT.replace('"ring"', '"matrix_sensing"\nn = 3\nsize = 3').replace("gaussian", "label").replace("covariance = [1, 0.3, 0.3, 0.5]", ""))
        r = self.run_sweep("--sweep", "loss.n=3,12,10", "--set", "experiment.pairs=0", "--set", "experiment.paths=8", code=3)
        self.assertEqual(r.stderr.count("Gamma at the start"), 3)  # of one cell
        self.assertIn("sde: cell 2 of 3 (n = 12): Gamma at the start: no other point of Gamma is found", r.stderr)
        self.assertIn("(of 1 more cells there is something to warn of, too)", r.stderr)
        self.assertIn("the Hessian's rank changes on the way", r.stderr)

    def test_words_arrays_and_times(self):
        self.run_sweep("--sweep", "training.schedule=constant,cosine", "--sweep", "start.at=[0, 1],[1, 0]", "--sweep",
                       "experiment.time=0.05,0.1")
        data = self.dataset()
        self.assertEqual(data.x1.dims, ("schedule", "at", "experiment_time", "run", "time"))
        self.assertEqual(list(data.time.values), [0, 0.5, 1])
        self.assertEqual(data.time.attrs["units"], "1")
        slow = data.slow_time.sel(schedule="constant", run="Local SGD, H = 5 (slow SDE)")[0]
        # Where the algorithm's rounds of 0.002 end: 12.5 of them is no time of its own.
        np.testing.assert_allclose(slow, [[0, 0.026, 0.05], [0, 0.05, 0.1]])

    def test_a_table_row_for_each_cell_and_method_and_json(self):
        rows = [line.split() for line in self.run_sweep(*SWEEP).stdout.splitlines() if "Local SGD" in line]
        self.assertEqual(len(rows), 12)
        self.assertEqual(rows[0][:4], ["0.01", "5", "Local", "SGD"])
        self.assertEqual(rows[11][:4], ["0.02", "20", "Local", "SGD"])
        j = json.loads(self.run_sweep(*SWEEP, "--json").stdout)
        self.assertEqual([c["values"] for c in j["cells"][:2]], [{"eta": 0.01, "H": 5}, {"eta": 0.01, "H": 10}])
        value = j["cells"][1]["methods"][0]["final"]["x1"]["mean"]
        self.assertEqual(value, float(self.dataset().x1.sel(eta=0.01, H=10)[0, -1]))

    def test_several_cells_at_a_time_give_the_same_bits(self):
        one = self.run_sweep(*SWEEP, "--json", "--threads", "1").stdout
        for jobs, threads in ((2, 2), (4, 3), (40, 1)):
            self.assertEqual(self.run_sweep(*SWEEP, "--json", "--jobs", str(jobs), "--threads", str(threads)).stdout, one)


class Interruptions(Folder):
    # Cells of different lengths, long enough to be interrupted in the middle.
    LONG = ["--set", "experiment.paths=160" if SANITIZED else "experiment.paths=1600", "--set", "experiment.time=1", "--set",
            "experiment.observations=20", "--sweep", "training.eta=0.01,0.02", "--sweep", "method.*.H=5,10,20", "--json"]

    def test_resume_in_the_middle_gives_the_same_bits_and_runs_no_complete_cell_again(self):
        for jobs in ("1", "2"):
            command = [SDE, "run", self.file, "--no-figure", *self.LONG, "--threads", "2", "--jobs", jobs]
            self.out = os.path.join(self.folder.name, "out" + jobs)
            other = os.path.join(self.folder.name, "whole" + jobs)
            started = time.monotonic()
            whole = subprocess.run([*command, "--out", other], capture_output=True, text=True, check=True).stdout
            took = time.monotonic() - started
            cells = os.path.join(self.out, "ring.cells")
            complete, interruptions, resume = {}, 0, []
            while True:
                child = subprocess.Popen([*command, "--out", self.out, *resume], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    text, err = child.communicate(timeout=0.35 * took)
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGINT)
                    text, err = child.communicate(timeout=60)
                if child.returncode == 0:
                    break
                self.assertEqual(child.returncode, 130, err)
                self.assertIn("of 6 cells are complete", err)
                self.assertFalse(os.path.exists(os.path.join(self.out, "ring.nc")))
                for name, stamp in complete.items():
                    self.assertEqual(os.stat(os.path.join(cells, name)).st_mtime_ns, stamp, "a complete cell has run again")
                kept = os.listdir(cells)
                self.assertTrue(any(k.endswith(".checkpoint") for k in kept), kept)
                complete = {k: os.stat(os.path.join(cells, k)).st_mtime_ns for k in kept if k.endswith(".nc")}
                interruptions += 1
                resume = ["--resume"]
            self.assertGreater(interruptions, 0)
            self.assertTrue(complete, "no interruption had a complete cell behind it")
            self.assertEqual(json.loads(text)["cells"], json.loads(whole)["cells"])
            self.assertEqual(os.listdir(self.out), ["ring.nc"])

    def test_a_process_that_is_killed_keeps_its_complete_cells(self):
        command = [SDE, "run", self.file, "--no-figure", *self.LONG, "--out", self.out]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first = os.path.join(self.out, "ring.cells", "0000.nc")
        while not os.path.exists(first) and child.poll() is None:
            time.sleep(0.01)
        child.kill()
        child.wait()
        stamp = os.stat(first).st_mtime_ns
        wrong = sde("run", self.file, "--no-figure", *self.LONG, "--out", self.out, "--resume", "--seed", "9")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("another seed", wrong.stderr)
        self.assertEqual(os.stat(first).st_mtime_ns, stamp)
        self.assertEqual(sde(*command[1:], "--resume").returncode, 0)

    def test_resume_without_an_interrupted_sweep(self):
        self.assertIn("no cells there", self.run_sweep(*SWEEP, "--resume", code=2).stderr)


class Bad(Folder):
    def refused(self, *arguments, words):
        r = self.run_sweep(*arguments, code=2)
        for word in words:
            self.assertIn(word, r.stderr)
        self.assertFalse(os.path.exists(self.out) and os.listdir(self.out))

    def test_keys_and_values(self):
        self.refused("--sweep", "training.etaa=1,2", words=["cell 1 of 2 (etaa = 1)", "unknown key", "eta"])
        self.refused("--sweep", "trainig.eta=1,2", words=["trainig", "training"])
        self.refused("--sweep", "method.7.H=1,2", words=["cell 1 of 2", "method.0 to method.1"])
        self.refused("--sweep", "training.eta=0.01,fast", words=["cell 2 of 2 (eta = fast)", "finite number"])
        self.refused("--sweep", "training.eta=0.01,-1,0,0.02", words=["cell 2 of 4 (eta = -1)", "above 0", "and 1 more"])
        self.refused("--sweep", "training.batch=4,5", words=["cell 2 of 2 (batch = 5)", "multiple of workers"])
        self.refused("--sweep", "training.eta=geom:1:2:0", words=["--sweep training.eta: geom:1:2:0", "a count from 2"])
        self.refused("--sweep", "training.eta=lin:1:2:70", "--sweep", "method.*.H=lin:1:70:70", words=["70 x 70 = 4900 cells", "4096"])
        self.refused("--sweep", "training.H=1,2", words=["no effect", "method.*.H"])
        self.refused("--sweep", "experiment.observations=2,3", words=["numbers of observations", "cell 1 (observations = 2)"])
        self.refused("--sweep", "experiment.save_paths=2,3", words=["numbers of saved paths"])
        self.refused("--sweep", "training.eta=1,2", "--set", "training.eta=1", words=["the sweep varies training.eta"])
        self.refused("--sweep", "experiment.seed=1,2", "--seed", "3", words=["the sweep varies experiment.seed"])
        self.refused("--zip", words=["--zip"])
        self.refused("--jobs", "2", words=["--jobs: expected a sweep"])

    def test_cells_that_fail_are_named_and_the_others_kept(self):
        arguments = ["--sweep", "training.eta=0.02,3", "--set", "experiment.time=40", "--set", "method.*.H=1"]
        r = self.run_sweep(*arguments, code=3)
        self.assertIn("1 of 2 cells failed", r.stderr)
        self.assertRegex(r.stderr, r"cell 2 of 2 \(eta = 3\): Local SGD, H = 1: .* paths lost; the first: path")
        data = self.dataset()
        failed = data.sel(eta=3, run="Local SGD, H = 1")
        self.assertIn("paths lost", str(failed.failure.values))
        self.assertTrue(np.isnan(failed.x1).all() and np.isnan(failed.x1_quantile).all() and np.isnan(failed.drift_measured).all())
        self.assertGreater(failed.paths_lost, 0)
        self.assertTrue(np.isnan(data.difference_x1.sel(eta=3)).all())
        kept = data.sel(eta=0.02)
        self.assertTrue(np.isfinite(kept.x1).all())
        self.assertEqual(set(kept.failure.values), {""})
        self.assertTrue(np.isfinite(data.sel(eta=3, run="Local SGD, H = 1 (slow SDE)").x1).all())
        table = [line for line in r.stdout.splitlines() if line.split()[:1] == ["3"]]
        self.assertIn("failed", table[0])
        self.assertEqual(len(json.loads(self.run_sweep(*arguments, "--json", code=3).stdout)["cells"]), 2)

    def test_a_disk_that_is_full_keeps_the_sweep_resumable(self):
        limit = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""
        r = subprocess.run(["bash", "-c", limit, SDE, "run", self.file, *SWEEP, "--out", self.out, "--no-figure"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertEqual(os.listdir(self.out), ["ring.cells"])
        self.run_sweep(*SWEEP, "--resume")

    def test_a_folder_of_cells_keeps_what_is_not_its_own(self):
        os.makedirs(os.path.join(self.out, "ring.cells"))
        with open(os.path.join(self.out, "ring.cells", "notes.txt"), "w") as f:
            f.write("mine")
        self.run_sweep(*SWEEP)
        self.assertEqual(os.listdir(os.path.join(self.out, "ring.cells")), ["notes.txt"])


class Figure(Folder):
    def test_drawn_by_run_and_by_plot(self):
        r = sde("run", self.file, *SWEEP, "--out", self.out)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("ring.png", r.stdout)
        with open(os.path.join(self.out, "ring.svg")) as f:
            svg = f.read()
        for text in ("method.*.H", "eta = 0.01", "eta = 0.02", "marker: algorithm", "sharpness tr Hess"):
            self.assertIn(text, svg)
        nc = os.path.join(self.out, "ring.nc")
        fig = os.path.join(self.folder.name, "fig")
        r = sde("plot", nc, "--observable", "x1", "--x", "eta", "--lines", "H", "--out", fig)
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(fig + ".svg") as f:
            svg = f.read()
        for text in ("H = 5", "H = 20", "training.eta"):
            self.assertIn(text, svg)
        r = sde("plot", nc, "--observable", "difference_x1", "--out", fig)
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(fig + ".svg") as f:
            self.assertIn("algorithm - slow SDE, same noise", f.read())
        r = sde("plot", nc, "--at", "eta=0.02", "--out", fig)
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(fig + ".svg") as f:
            self.assertIn("eta = 0.02", f.read())

    def test_zipped_words_and_failed_cells(self):
        for arguments in (["--sweep", "training.eta=0.01,0.02", "--sweep", "method.*.H=10,5", "--zip"],
                          ["--sweep", "training.schedule=constant,cosine"],
                          ["--sweep", "training.eta=0.02,3", "--set", "experiment.time=40", "--set", "method.*.H=1"]):
            r = sde("run", self.file, *arguments, "--out", self.out)
            self.assertIn(r.returncode, (0, 3), r.stderr)
            self.assertIn("ring.png", r.stdout)
        with open(os.path.join(self.out, "ring.svg")) as f:
            self.assertIn("1 of 2 cells failed", f.read())

    def test_plot_says_what_is_wrong(self):
        self.run_sweep(*SWEEP)
        nc = os.path.join(self.out, "ring.nc")
        single = os.path.join(self.folder.name, "single")
        self.run_sweep(out=single)
        single = os.path.join(single, "ring.nc")
        for arguments, word in [([nc, "--observable", "sharpness"], "trace_hessian"), ([nc, "--x", "K"], "eta, H"),
                                ([nc, "--x", "H", "--lines", "H"], "another key"), ([nc, "--at", "eta=0.5"], "0.01, 0.02"),
                                ([nc, "--at", "eta=0.01", "--lines", "eta"], "not held"), ([nc, single], "by itself"),
                                ([nc, "--component", "x1"], "--observable"), ([single, "--x", "eta"], "is none")]:
            r = sde("plot", *arguments)
            self.assertEqual(r.returncode, 2, (arguments, r.stderr))
            self.assertIn(word, r.stderr)


if __name__ == "__main__":
    unittest.main()
