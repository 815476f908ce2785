"""Methods beside each other: `sde verify` on files with a comparison. Usage: test_comparison.py SDE_BINARY"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SDE = os.path.abspath(sys.argv.pop(1))
ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALLER_NETWORK = [word for key, value in (("loss.samples", 20), ("loss.width", 4), ("experiment.time", 10), ("experiment.observations", 3),
                                           ("training.eta", 0.01), ("method.2.H", 64), ("method.3.H", 64), ("method.4.H", 512), ("method.5.H", 512))
                   for word in ("--set", f"{key}={value}")]
# On the hyperbola under label noise tr Hess falls, sooner for more workers with long rounds.
TEXT = """
[experiment]
paths = 64
time = 1.0
observations = 4
[loss]
name = "hyperbola"
[noise]
kind = "label"
[start]
at = [2.5, 0.4]
[training]
eta = 0.02
workers = {workers}
batch = 4
[[method]]
kind = "sgd"
[[method]]
kind = "local_sgd"
H = 4
[[method]]
kind = "local_sgd"
H = 50
[verify]
comparison = {{{comparison}}}
"""
ALL = 'observables = ["trace_hessian"], margin = 0.03'


class Comparison(unittest.TestCase):
    def verify(self, text, *more, code=0):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "own.toml")
            with open(file, "w") as f:
                f.write(text)
            r = subprocess.run([SDE, "verify", file, "--json", "--quiet", *more], capture_output=True, text=True)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout) if code < 2 else r.stderr.replace(folder + "/", "")

    def verdicts(self, j):
        return {(r["method"], r["quantity"]): r["verdict"] for r in j["rows"]}

    def test_better_and_its_opposite(self):
        right = self.verdicts(self.verify(TEXT.format(workers=4, comparison='baseline = "SGD", expect = "better", ' + ALL)))
        self.assertEqual(right, {
            ("Local SGD, H = 4", "trace_hessian, end / that of SGD"): "agrees",
            ("Local SGD, H = 4", "control: trace_hessian at least that of SGD"): "rejected",
            ("Local SGD, H = 50", "trace_hessian, end / that of SGD"): "agrees",
            ("Local SGD, H = 50", "control: trace_hessian at least that of SGD"): "rejected"})
        wrong = self.verdicts(self.verify(TEXT.format(workers=4, comparison='baseline = "SGD", expect = "no_better", ' + ALL), code=1))
        self.assertEqual(wrong["Local SGD, H = 50", "trace_hessian, end / that of SGD"], "disagrees")

    def test_one_worker_is_no_better(self):
        j = self.verify(TEXT.format(workers=1, comparison='baseline = "SGD", expect = "no_better", ' + ALL))
        self.assertEqual(self.verdicts(j)["Local SGD, H = 50", "trace_hessian, end / that of SGD"], "agrees")
        j = self.verify(TEXT.format(workers=1, comparison='baseline = "SGD", expect = "better", ' + ALL), code=1)
        self.assertEqual(self.verdicts(j)["Local SGD, H = 50", "trace_hessian, end / that of SGD"], "disagrees")

    def test_ordered(self):
        methods = '"SGD", "Local SGD, H = 4", "Local SGD, H = 50"'
        j = self.verify(TEXT.format(workers=4, comparison=f'claim = 11, methods = [{methods}], expect = "ordered", ' + ALL))
        self.assertEqual([c["claim"] for c in j["claims"]], [11])
        rows = [k for k in self.verdicts(j) if "control" not in k[1]]
        self.assertEqual(rows, [("Local SGD, H = 4", "trace_hessian, end / that of SGD"),
                                ("Local SGD, H = 50", "trace_hessian, end / that of Local SGD, H = 4")])

    def test_mistakes_are_named(self):
        for comparison, words in (
            ('baseline = "SDG", expect = "better"', "'SDG' is the name of no method: expected one of 'SGD', 'Local SGD, H = 4'"),
            ('baseline = "SGD"', "verify.comparison.expect"),
            ('baseline = "SGD", expect = "worse"', "'worse' is not known"),
            ('baseline = "SGD", expect = "better", methods = ["SGD"]', "expected other methods than the baseline"),
            ('methods = ["SGD"], expect = "ordered"', "expected two names or more"),
            ('baseline = "SGD", expect = "better", observables = ["test_error"]', "'test_error' is not observed: expected one of loss, trace_hessian"),
            ('baseline = "SGD", expect = "better", claim = 9', "verify.comparison.claim"),
            ('baseline = "SGD", expect = "better", observables = ["loss"], margin = 2', "verify.comparison.margin"),
            ('baseline = "SGD", expect = "better", observables = ["loss"], marign = 0.1', "did you mean 'margin'"),
        ):
            self.assertIn(words, self.verify(TEXT.format(workers=4, comparison=comparison), code=2), comparison)

    def test_the_shipped_experiments_run_at_a_reduced_setting(self):
        """Not their verdicts, which take minutes: docs/generalization.md has those."""
        files = sorted((ROOT / "experiments/generalization").glob("*.toml"))
        self.assertGreater(len(files), 3)
        for file in files:
            set_ = ["--set", "experiment.time=" + ("0.96" if "small" in file.name or "stopped" in file.name else "24")]
            if file.name == "digits_slow_sde.toml":
                set_ = SMALLER_NETWORK
            elif "digits" not in file.name:
                set_ = ["--set", "experiment.observations=2"]
            else:
                set_ += ["--set", "loss.curvature_samples=64", "--set", "experiment.observations=1", "--set", "loss.widths=[8]"]
            with tempfile.TemporaryDirectory() as out:
                r = subprocess.run([SDE, "run", file, "--set", "experiment.paths=4", *set_, "--out", out, "--json", "--quiet"],
                                   capture_output=True, text=True)
                self.assertEqual(r.returncode, 0, (file.name, r.stderr))
                self.assertTrue(os.path.getsize(os.path.join(out, file.stem + ".png")) > 20_000)
            j = json.loads(r.stdout)
            for cell in j.get("cells", [j]):
                self.assertTrue(any(m["name"].startswith("SGD") for m in cell["methods"]), file.name)

    def test_the_slow_ode_of_a_network_on_data_describes_what_was_measured(self):
        """Fewer samples and neurons and twice the rate: 4 seconds; docs/generalization.md has the full run."""
        with tempfile.TemporaryDirectory() as out:
            r = subprocess.run([SDE, "run", ROOT / "experiments/generalization/digits_slow_sde.toml", *SMALLER_NETWORK, "--out", out, "--json",
                                "--no-figure"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        j = json.loads(r.stdout)
        self.assertEqual(j["gamma"]["rank"], 20)
        finals = [m["final"] for m in j["methods"]]
        for measured, predicted in zip(finals[::2], finals[1::2]):
            m, p = measured["trace_hessian"], predicted["trace_hessian"]["mean"]
            self.assertLess(abs(m["mean"] / p - 1), 0.03)
            self.assertLess(m["standard_error"] / m["mean"], 0.01)
            self.assertLess(abs(measured["test_error"]["mean"] - predicted["test_error"]["mean"]), 0.01)
        sharpness = [f["trace_hessian"]["mean"] for f in finals[::2]]
        self.assertLess(sharpness[1], 0.6 * sharpness[0])
        self.assertLess(sharpness[2], 0.85 * sharpness[1])


if __name__ == "__main__":
    unittest.main()
