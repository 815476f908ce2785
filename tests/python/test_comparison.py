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
PROBLEM = """
[loss]
name = "hyperbola"
[noise]
kind = "label"
[start]
at = [2.5, 0.4]
"""
# On it tr Hess falls, sooner for more workers with long rounds.
TEXT = """
[experiment]
paths = 64
time = 1.0
observations = 4
""" + PROBLEM + """[training]
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
# One eigenvalue, of which the slow ODEs know the way of tr Hess.
CURVES = """
[experiment]
paths = 64
time = 3.0
observations = 30
""" + PROBLEM + """[training]
eta = 0.01
batch = 4
H = {H}
[[method]]
kind = "sgd"
[[method]]
kind = "slow_ode_sgd"
[[method]]
kind = "local_sgd"
workers = 2
[[method]]
kind = "slow_ode_local_sgd"
workers = 2
[[method]]
kind = "local_sgd"
workers = 4
[[method]]
kind = "slow_ode_local_sgd"
workers = 4
[verify]
comparison = {{expect = "one_curve", baseline = "SGD, workers = 1 (slow ODE)", observables = ["trace_hessian"], margin = 0.05}}
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

    def test_beside_its_own_slow_ode(self):
        text = TEXT + '[[method]]\nkind = "slow_ode_local_sgd"\nH = 50\n{drift}'
        expect = 'expect = "predicted", at = {at}, ' + ALL
        j = self.verify(text.format(workers=4, drift="", comparison=expect.format(at='"end"')))
        row = ("Local SGD, H = 50", "trace_hessian, end / that of Local SGD, H = 50 (slow ODE)")
        control = ("Local SGD, H = 50", "control: trace_hessian, end, without drift-II")
        self.assertEqual(self.verdicts(j), {row: "agrees", control: "rejected"})
        # A slow ODE with twice the theory's drift-II is no prediction of it.
        j = self.verify(text.format(workers=4, drift="drift_2 = 2", comparison=expect.format(at='"end"')), code=1)
        self.assertEqual(self.verdicts(j)[row], "disagrees")
        # The same numbers at given times, and one row for all of them with its cells.
        given = self.verify(text.format(workers=4, drift="", comparison=expect.format(at="[0.5, 1.0]")))
        quantities = [r["quantity"] for r in given["rows"] if not r["control"]]
        self.assertEqual(quantities, [f"trace_hessian, slow time {t} / that of Local SGD, H = 50 (slow ODE)" for t in ("0.5", "1")])
        every = self.verify(text.format(workers=4, drift="", comparison=expect.format(at='"all"')))
        worst = every["rows"][0]
        self.assertEqual((worst["quantity"], worst["worst_of"]), ("trace_hessian, all times / that of Local SGD, H = 50 (slow ODE)", 4))
        at = {c["quantity"].split(" / ")[0]: c["measured"] for c in every["cells"]}
        self.assertEqual([at[f"trace_hessian, slow time {t}"] for t in ("0.5", "1")], [r["measured"] for r in given["rows"] if not r["control"]])
        hardest = min(every["cells"], key=lambda c: (0.03 - abs(c["difference"])) / c["standard_error"])
        self.assertEqual(hardest["difference"], worst["difference"])

    def test_sgd_beside_its_slow_ode_has_the_start_as_a_control(self):
        text = TEXT + '[[method]]\nkind = "slow_ode_sgd"\n'
        j = self.verify(text.format(workers=4, comparison='expect = "predicted", ' + ALL))
        self.assertEqual(self.verdicts(j), {("SGD", "trace_hessian, end / that of SGD (slow ODE)"): "agrees",
                                            ("SGD", "control: trace_hessian, end, as at the start"): "rejected"})

    def test_every_cell_of_a_sweep(self):
        text = TEXT.replace("[verify]", '[[method]]\nkind = "slow_ode_local_sgd"\nH = 50\n[sweep]\n"experiment.time" = [0.1, 1.0]\n[verify]')
        text = text.replace("observations = 4", "observations = 1").replace("time = 1.0\n", "")
        names = dict(workers=4, comparison='expect = "predicted", ' + ALL)
        j = self.verify(text.format(**names))
        self.assertEqual(j["experiment"]["swept"], "experiment_time")
        self.assertIn("[sweep]", j["experiment"]["source"])
        rows = [r for r in j["rows"] if not r["control"]]
        self.assertEqual([r["quantity"].rsplit(", ", 1)[1] for r in rows], ["experiment_time = 0.1", "experiment_time = 1"])
        self.assertEqual({r["verdict"] for r in rows}, {"agrees"})
        self.assertEqual(sorted({p["x"] for p in j["claims"][0]["points"]}), [0.1, 1.0])
        # At a given time: the cell that is observed then.
        names["comparison"] += ", at = [1.0]"
        j = self.verify(text.format(**names))
        self.assertEqual([r["quantity"] for r in j["rows"] if not r["control"]],
                         ["trace_hessian, slow time 1 / that of Local SGD, H = 50 (slow ODE), experiment_time = 1"])
        names["comparison"] = names["comparison"].replace("[1.0]", "[0.5]")
        self.assertIn("own.toml: verify.comparison.at: expected slow times of observations in a cell of [sweep]; of its first, 0.1 after each "
                      "other up to 0.1, got 0.5", self.verify(text.format(**names), code=2))
        self.assertIn("sweep, cell 1 of 2 (experiment_time = 0.1): command line: method.1.H", self.verify(text.format(**names), "--set", "method.1.H=-1", code=2))
        # One wrong cell is one row that disagrees.
        wrong = TEXT.replace("[verify]", '[[method]]\nkind = "slow_ode_local_sgd"\nH = 50\n[sweep]\n"method.3.drift_2" = [1, 2]\n[verify]')
        j = self.verify(wrong.format(workers=4, comparison='expect = "predicted", ' + ALL), code=1)
        self.assertEqual([r["verdict"] for r in j["rows"] if not r["control"]], ["agrees", "disagrees"])

    def test_one_curve(self):
        """At 2 alpha lambda > 20 psi is next to 1: all workers' curves are SGD's, K times as fast. At small ones it is not."""
        j = self.verify(CURVES.format(H=500), "--no-figure")
        verdicts = self.verdicts(j)
        self.assertEqual({v for k, v in verdicts.items() if "control" not in k[1]}, {"agrees"})
        self.assertEqual(sum("control" in k[1] for k in verdicts), 2)  # of K = 2 and 4: time as it is
        factors = {c["notes"][i].split(":")[0]: float(c["notes"][i].split("factor of time ")[1].split(";")[0])
                   for c in j["claims"] for i in range(len(c["notes"]))}
        self.assertTrue(1.9 < factors["Local SGD, H = 500, workers = 2"] < 2 and 3.7 < factors["Local SGD, H = 500, workers = 4"] < 4, factors)
        j = self.verify(CURVES.format(H=500), "--set", "method.5.drift_2=0", "--no-figure", code=1)  # K = 4 predicted as SGD
        row = next(r for r in j["rows"] if r["method"] == "Local SGD, H = 500, workers = 4")
        self.assertEqual((row["verdict"], row["quantity"]), ("disagrees", "trace_hessian, time x 1 / that of SGD, workers = 1 (slow ODE)"))
        self.assertGreater(row["worst_of"], 5)
        # A factor that the slow ODE does not get to by the end is not known, which is said.
        j = self.verify(CURVES.format(H=500), "--set", "method.5.drift_1=0.001", "--set", "method.5.drift_2=0", "--no-figure")
        self.assertTrue(any("predicted factor is not known" in n["reason"] for n in j["not_measured"]), j["not_measured"])

    def test_ratios(self):
        text = TEXT + '[[method]]\nkind = "conventional_sgd"\n[[method]]\nkind = "conventional_local_sgd"\nH = {H}\n'
        asked = 'expect = "same_ratio", baseline = "SGD (conventional SDE)", methods = ["Local SGD, H = {H} (conventional SDE)"], ' \
                'ratio = ["Local SGD, H = 50", "SGD"], ' + ALL
        j = self.verify(text.format(workers=4, H=50, comparison=asked.format(H=50)))
        self.assertEqual(self.verdicts(j), {
            ("Local SGD, H = 50 (conventional SDE)", "trace_hessian, end, over SGD (conventional SDE) / Local SGD, H = 50 over SGD"): "agrees",
            ("Local SGD, H = 50 (conventional SDE)",
             "control: trace_hessian, end, Local SGD, H = 50 (conventional SDE) as SGD (conventional SDE)"): "rejected"})
        j = self.verify(text.format(workers=4, H=4, comparison=asked.format(H=4)), code=1)
        self.assertEqual([r["verdict"] for r in j["rows"] if not r["control"]], ["disagrees"])

    def test_alike_absolute_and_margins(self):
        asked = 'expect = "alike", baseline = "SGD", methods = ["Local SGD, H = 50"], '
        j = self.verify(TEXT.format(workers=4, comparison=asked + 'at = [0.25], ' + ALL), code=1)
        relative = j["rows"][0]
        self.assertEqual(relative["verdict"], "disagrees")
        j = self.verify(TEXT.format(workers=4, comparison=asked + 'at = [0.25], observables = ["trace_hessian"], absolute = true, margin = 5'))
        row = j["rows"][0]
        self.assertEqual((row["verdict"], row["margin"]), ("agrees", [-5, 5]))
        self.assertAlmostEqual(row["measured"] / row["predicted"], relative["measured"])
        self.assertEqual(j["rows"][1]["verdict"], "rejected")
        j = self.verify(TEXT.format(workers=1, comparison=asked + ALL), "--margin", "2", "--set", "experiment.paths=128")
        self.assertEqual(j["rows"][0]["margin"], [-0.06, 0.06])

    def test_several_comparisons_of_two_claims(self):
        text = TEXT.replace("[verify]\ncomparison = {{{comparison}}}", """[[verify.comparison]]
expect = "better"
baseline = "SGD"
{all}
[[verify.comparison]]
claim = 11
expect = "ordered"
methods = ["SGD", "Local SGD, H = 4", "Local SGD, H = 50"]
{all}
""").format(workers=4, all=ALL.replace(", margin", "\nmargin"))
        j = self.verify(text)
        self.assertEqual([c["claim"] for c in j["claims"]], [10, 11])
        self.assertEqual([r["claim"] for r in j["rows"] if not r["control"]], [10, 10, 11, 11])

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
            ('baseline = "SGD", expect = "better", observables = ["loss"], at = [0.3]',
             "own.toml: verify.comparison.at: expected slow times of observations, 0.25 after each other up to 1, got 0.3"),
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
