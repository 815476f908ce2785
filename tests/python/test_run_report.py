"""What `sde run` says of its results. Usage: test_run_report.py SDE_BINARY"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SDE = os.path.abspath(sys.argv.pop(1))
HYPERBOLA = """
[experiment]
paths = 64
time = {time}
observations = 4
[loss]
name = "hyperbola"
[noise]
kind = "{noise}"
[start]
at = [2, 0.5]
[training]
workers = 4
batch = 4
"""


def method(kind, **keys):
    return f"[[method]]\nkind = '{kind}'\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())


class Report(unittest.TestCase):
    def run_file(self, text, *more, code=0):
        """The table's rows by name (cells between two spaces), all that was printed, and the JSON of the same run.
        What was said on standard error is in .said."""
        with tempfile.TemporaryDirectory() as out:
            file = os.path.join(out, "own.toml")
            with open(file, "w") as f:
                f.write(text)
            results = [subprocess.run([SDE, "run", file, "--out", out, "--no-figure", *more, *json_], capture_output=True, text=True)
                       for json_ in ([], ["--json"])]
            for r in results:
                self.assertEqual(r.returncode, code, r.stderr)
            printed = results[0].stdout.replace(file, "FILE")
            self.said = results[0].stderr
            self.assertEqual(self.said, results[1].stderr)
        lines = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
        head = next(i for i, cells in enumerate(lines) if cells[0] == "method")
        rows = {}
        for cells in lines[head + 1:]:
            if cells == [""]:
                break
            rows[cells[0]] = cells
        self.titles = lines[head]
        return rows, printed, json.loads(results[1].stdout)

    def test_eta_and_keys_that_differ_are_in_names_and_table(self):
        text = HYPERBOLA.format(time=0.1, noise="label") + "".join(
            method("local_sgd", H=5, eta=eta, batch=batch) for eta, batch in ((0.02, 4), (0.01, 4), (0.01, 8))) + method(
                "slow_local_sgd", H=5, eta=0.01, dt=0.01) + method("slow_local_sgd", H=5, eta=0.01, dt=0.02) + method(
                    "slow_local_sgd", H=5, eta=0.02, dt=0.02)
        rows, _, j = self.run_file(text)
        self.assertEqual(list(rows), [
            "Local SGD, H = 5, eta = 0.02, batch = 4", "Local SGD, H = 5, eta = 0.01, batch = 4", "Local SGD, H = 5, eta = 0.01, batch = 8",
            "Local SGD, H = 5, eta = 0.01, batch = 4 (slow SDE), dt = 0.01", "Local SGD, H = 5, eta = 0.01, batch = 4 (slow SDE), dt = 0.02",
            "Local SGD, H = 5, eta = 0.02, batch = 4 (slow SDE)"])  # its dt is told by the table alone
        self.assertEqual(self.titles[:7], ["method", "eta", "H", "alpha", "rounds", "batch", "dt"])
        self.assertEqual(rows["Local SGD, H = 5, eta = 0.01, batch = 8"][1:6], ["0.01", "5", "0.05", "200", "8"])
        self.assertEqual([m["communication_rounds"] for m in j["methods"]], [50, 200, 200, None, None, None])
        self.assertEqual(j["methods"][2]["keys"]["batch"], 8)
        self.assertNotIn("dt", j["methods"][2]["keys"])
        self.assertEqual([m["group"] for m in j["methods"]].count("Local SGD, H = 5, eta = 0.01, batch = 4"), 3)  # theory beside it

    def test_equal_settings_are_not_in_names(self):
        text = HYPERBOLA.format(time=0.1, noise="label") + method("sgd") + method("local_sgd", H=5) + method("qsr", beta=0.05) + method("slow_qsr")
        rows, _, _ = self.run_file(text)
        self.assertEqual(list(rows), ["SGD", "Local SGD, H = 5", "QSR", "QSR (slow SDE)"])
        self.assertEqual(rows["SGD"][1:4], ["0.01", "1", "0.01"])
        self.assertEqual(rows["QSR (slow SDE)"][1:4], ["0.01", "limit", "limit"])

    def test_methods_of_one_type_are_told_apart_by_its_keys(self):
        text = HYPERBOLA.format(time=0.1, noise="label") + method("qsr", beta=0.05) + method("qsr", beta=0.04) + method("sgd")
        self.assertEqual(list(self.run_file(text)[0]), ["QSR, beta = 0.05", "QSR, beta = 0.04", "SGD"])

    def test_a_row_that_lost_paths_says_so_beside_its_value(self):
        text = HYPERBOLA.format(time=2, noise="gaussian").replace('"gaussian"', '"gaussian"\nvariance = 9').replace("workers = 4\nbatch = 4", "") + method(
            "sgd", eta=0.14) + method("slow_sgd", eta=0.14)
        rows, printed, j = self.run_file(text, "--set", "experiment.max_lost=1")
        self.assertGreater(j["methods"][0]["lost"], 0)
        self.assertLess(j["methods"][0]["lost"], 64)
        self.assertRegex(" ".join(rows["SGD"]), r"\+- [0-9.]+ \(survivors: biased\)")
        # Not of the start, nor of the row that lost none; but of the pair on common noise, which has the same paths.
        self.assertEqual(printed.count("survivors: biased"), 2)
        self.assertTrue(j["pairs"][0]["biased"])
        self.assertIn("the largest steps", printed)
        self.assertEqual([m["biased"] for m in j["methods"]], [True, False])
        self.assertTrue(j["methods"][0]["final"]["loss"]["biased"])
        self.assertEqual(j["finite_eta_errors"], [])  # nothing of that is said of a biased mean

    def test_no_loss_no_bias(self):
        _, printed, j = self.run_file(HYPERBOLA.format(time=0.1, noise="label") + method("sgd"))
        self.assertNotIn("biased", printed)
        self.assertFalse(j["methods"][0]["biased"])

    def test_a_difference_that_sampling_does_not_explain_is_called_finite_eta(self):
        pair = method("sgd", eta=0.1) + method("slow_ode_sgd", eta=0.1)
        _, printed, j = self.run_file(HYPERBOLA.format(time=4, noise="label") + pair)
        self.assertRegex(printed, r"SGD ends [0-9.]+ (above|below) SGD \(slow ODE\): \d+ times the 95% interval")
        self.assertIn("error of a finite eta: `sde verify FILE`", printed)
        error = j["finite_eta_errors"][0]
        self.assertEqual((error["algorithm"], error["theory"]), ("SGD", "SGD (slow ODE)"))
        ends = [m["final"]["trace_hessian"]["mean"] for m in j["methods"]]
        self.assertAlmostEqual(error["difference"], ends[0] - ends[1], delta=1e-3)
        # At a small rate there is nothing to say, nor of a proposed SDE, whose own error it may be.
        small = pair.replace("0.1", "0.005") + method("slow_ode_sgd", eta=0.005, drift_1=20)
        _, printed, j = self.run_file(HYPERBOLA.format(time=0.02, noise="label") + small)
        self.assertNotIn("finite eta", printed)
        self.assertEqual(j["finite_eta_errors"], [])

    def test_what_gamma_is_like_at_the_start(self):
        _, printed, j = self.run_file(HYPERBOLA.format(time=0.1, noise="label") + method("sgd") + method("slow_ode_sgd"))
        lines = printed.splitlines()
        self.assertEqual(lines[2:4], ["Gamma at the start: dimension 1 of 2, Hessian of rank 1, eigenvalue 4.25; residuals vanish", ""])
        self.assertNotIn("Gamma", self.said)
        self.assertEqual((j["gamma"]["dimension"], j["gamma"]["rank"], j["gamma"]["warnings"]), (1, 1, []))
        self.assertEqual([m["hessian_rank"] for m in j["methods"]], [[1, 1], [1, 1]])

    def test_where_the_theory_does_not_apply(self):
        # U U^T is known and of rank 1, U is 3 x 3: a degenerate minimum, where the rank is another at every point.
        text = HYPERBOLA.replace('"hyperbola"', '"matrix_sensing"\nsize = 3\nn = 12').replace("[start]\nat = [2, 0.5]", "")
        _, printed, j = self.run_file(text.format(time=0.05, noise="label") + method("sgd"), "--set", "experiment.pairs=0", "--set", "experiment.paths=8")
        self.assertIn("Gamma at the start: dimension 4 of 9, Hessian of rank 5, ", printed)
        start = [line[len("sde: Gamma at the start: "):] for line in self.said.splitlines() if "Gamma at the start" in line]
        self.assertEqual(start, j["gamma"]["warnings"])
        for words, text in zip(("no other point of Gamma", "close to the 1e-09", "counts as zero"), start):
            self.assertIn(words, text)
        self.assertEqual(len(start), 3)
        self.assertEqual(j["methods"][0]["hessian_rank"], [4, 5])
        self.assertIn("sde: SGD: the Hessian's rank changes on the way: it was 4 to 5, with nonzero eigenvalues from", self.said)

    def test_test_error_where_there_is_one(self):
        rows, _, _ = self.run_file(pathlib.Path("experiments/tanh_network.toml").read_text(), "--set", "experiment.paths=8", "--set",
                                   "experiment.time=0.01", "--set", "experiment.observations=2")
        self.assertIn("test error, end", self.titles)
        self.run_file(HYPERBOLA.format(time=0.1, noise="label") + method("sgd"))
        self.assertNotIn("test error, end", self.titles)


if __name__ == "__main__":
    unittest.main()
