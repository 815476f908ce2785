"""sde verify FILE.toml from outside: verdicts with known answers on a file's own problem, and bad input."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

SDE = sys.argv.pop(1)

RING = """title = "Own covariance on the ring"
[experiment]
time = 1.0
{observe}
[loss]
name = "ring"
a = 0.5
[noise]
kind = "gaussian"
covariance = [1.0, 0.4, 0.4, 0.8]
[start]
at = [0.0, 1.0]
[training]
eta = 0.01
workers = 4
batch = 4
[[method]]
kind = "local_sgd"
H = 20
"""

SPHERE = """[experiment]
time = 1.0
[loss]
name = "sphere"
[noise]
kind = "gaussian"
variance = 0.6
[training]
eta = 0.01
workers = 4
batch = 4
H = 10
[[method]]
kind = "local_sgd"
"""

HYPERBOLA = """[experiment]
time = 1.0
observe = ["x1^2 - x2^2"]
[loss]
name = "hyperbola"
[noise]
kind = "label"
[start]
at = [2.0, 0.5]
[training]
eta = 0.0025
workers = 4
batch = 4
[[method]]
kind = "sgd"
[[method]]
kind = "local_sgd"
H = 80
[[method]]
kind = "slow_local_sgd"
H = 80
[[method]]
kind = "qsr"
beta = 0.1
[[method]]
kind = "local_sgd"
name = "cosine"
H = 80
schedule = "cosine"
"""


def sde(text, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "own.toml")
        with open(path, "w") as stream:
            stream.write(text)
        return subprocess.run([SDE, "verify", path, *arguments], capture_output=True, text=True, timeout=600)


def report(text, *arguments):
    r = sde(text, *arguments, "--json")
    return r.returncode, json.loads(r.stdout), r.stderr


def ring(observe=""):
    return RING.replace("{observe}", observe)


def named(rows, words):
    return [r for r in rows if words in r["quantity"]]


class Verdicts(unittest.TestCase):
    def test_ring_with_its_own_covariance_agrees_and_its_controls_are_rejected(self):
        code, j, error = report(ring())
        self.assertEqual(code, 0, error)
        self.assertEqual({r["claim"] for r in j["rows"]}, {2, 3, 4, 5, 6, 8, 9, 13})
        for row in j["rows"]:
            self.assertIn(row["verdict"], ("rejected",) if row["control"] else ("agrees",), row)
            self.assertEqual((row["loss"], row["method"]), ("ring", "Local SGD, H = 20"))
        for words in ("drift-II dropped", "without tangent-normal", "K - 1 for K", "SGD's prediction"):
            self.assertTrue(named(j["rows"], words), words)
        reasons = {n["claim"]: n["reason"] for n in j["not_measured"] if "quantity" not in n}
        self.assertIn("label noise", reasons[7])

    def test_a_rate_too_large_disagrees_and_the_order_tells_why(self):
        code, j, error = report(ring(), "4", "--set", "training.eta=0.2", "--set",
                                "method.0.H=2")
        self.assertEqual(code, 1, error)
        own = named(j["rows"], "weak error at eta = 0.2")[0]
        self.assertEqual(own["verdict"], "disagrees", own)
        order = next(r for r in j["rows"] if r["quantity"].startswith("order of the weak error"))
        self.assertEqual(order["verdict"], "agrees")
        self.assertGreater(order["measured"], 0.6)
        note = " ".join(n for c in j["claims"] for n in c["notes"])
        self.assertIn("an error of finite eta", note)
        down = float(re.search(r"inside the margin from eta = ([0-9.]+) down", note).group(1))
        # The measured error and order, solved for the margin.
        expected = 0.2 * (own["margin"][1] / own["measured"]) ** (1 / order["measured"])
        self.assertAlmostEqual(down, expected, delta=0.02)
        self.assertLess(down, 0.2)

    def test_a_rate_beyond_stability_loses_its_paths_and_disagrees(self):
        code, j, error = report(ring(), "4", "--set", "training.eta=0.6", "--set", "method.0.H=1")
        self.assertEqual(code, 1, error)
        self.assertEqual(named(j["rows"], "left every neighbourhood")[0]["verdict"], "disagrees")

    def test_sphere_has_no_controls_of_drift_2(self):
        code, j, error = report(SPHERE, "2", "4", "6", "8", "13")
        self.assertEqual(code, 0, error)
        self.assertFalse([r for r in j["rows"] if r["control"]], j["rows"])
        self.assertEqual(len(named(j["rows"], "against SGD's slow SDE")), 1)
        missing = {n["claim"]: n["reason"] for n in j["not_measured"] if "quantity" not in n}
        self.assertEqual(set(missing), {2, 6, 8})
        for reason in missing.values():
            self.assertIn("no drift-II on this problem", reason)
        skipped = [n for n in j["not_measured"] if n.get("quantity", "").startswith("control")]
        self.assertTrue(all("no drift-II" in n["reason"] for n in skipped), skipped)

    def test_methods_that_change_are_not_measured_with_the_reason(self):
        r = sde(HYPERBOLA, "2", "3", "7")
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertIn("cosine, not applicable: its learning rate changes", r.stdout)
        self.assertIn("not applicable: its rounds change", r.stdout)
        self.assertIn("Sigma_par = 0", r.stdout)
        self.assertIn("fall of tr Hess / slow ODE's, K = 4, alpha = 0.2", r.stdout)
        self.assertIn("SGD", r.stdout)

    def test_observables_of_the_file_are_followed(self):
        _, j, _ = report(ring('observe = ["x1*x2", "x1^3"]'), "4")
        self.assertTrue(any("x1*x2" in r["quantity"] or "tr Hess" in r["quantity"] for r in j["rows"]))
        self.assertFalse(any("x1^3" in r["quantity"] for r in j["rows"]))

    def test_margins_come_from_the_file_and_the_command_line(self):
        text = ring() + "[verify]\nmargin = 2\n[verify.margins]\ndrift = 0.08\n"
        margins = lambda *more: {r["claim"]: r["margin"][1] for r in report(text, "2", "3", *more)[1]["rows"]}
        self.assertEqual(margins(), {2: 0.08, 3: 0.1})
        self.assertEqual(margins("--margin", "3", "--margin", "drift=0.07"), {2: 0.07, 3: 3 * 0.05})

    def test_figures_and_the_report_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            r = sde(ring(), "4", "5", "--budget", "3", "--out", folder)
            self.assertIn(r.returncode, (0, 1), r.stderr)
            self.assertEqual(sorted(os.listdir(folder)),
                             ["claim_4.png", "claim_4.svg", "claim_5.png", "claim_5.svg", "verify.json"])

    def test_same_bits_for_any_number_of_threads(self):
        one, three = (report(ring(), "2", "13", "--threads", n)[1]["rows"] for n in "13")
        self.assertEqual(one, three)

    def test_a_margin_too_narrow_for_the_budget_says_what_would_suffice(self):
        # Less than the short runs take: those alone, on a machine of any speed.
        r = sde(ring(), "2", "--budget", "0.01", "--margin", "drift=0.01")
        self.assertIn("gradients would decide", r.stdout)

    def test_bad_input(self):
        for text, arguments, words in [
            (ring() + "[verify]\nmargins = {drfit = 0.1}\n", [], ["verify.margins.drfit", "did you mean 'drift'"]),
            (ring() + "[verify]\nmarging = 2\n", [], ["verify.marging", "margin"]),
            (ring() + "[verify]\nmargin = 0\n", [], ["verify.margin", "above 0"]),
            (ring() + "[verify]\nmargins = {drift = -0.1}\n", [], ["verify.margins.drift", "above 0"]),
            (ring(), ["--margin", "-1"], ["verify.margin", "above 0"]),
            (ring(), ["--margin", "wide"], ["verify.margin", "number"]),
            (ring(), ["--all"], ["--all"]),
            (ring(), ["--loss", "ring"], ["--loss"]),
            (ring(), ["other.toml"], ["one experiment file"]),
            (ring(), ["11"], ["no [verify.comparison]"]),
            (ring().replace('"local_sgd"', '"slow_local_sgd"'), [], ["slow SDEs alone", "local_sgd"]),
            (ring(), ["7"], ["label noise", "none of the claims"]),
        ]:
            r = sde(text, *arguments)
            self.assertEqual(r.returncode, 2, (arguments, r.stdout, r.stderr))
            for word in words:
                self.assertIn(word, r.stderr, (arguments, r.stderr))
        r = subprocess.run([SDE, "verify", "2", "--margin", "2"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 2)
        self.assertIn("experiment file", r.stderr)


class PlantedErrors(unittest.TestCase):
    """A slow SDE with one wrong factor: it disagrees, and the measurement names that term and no other."""

    def planted(self, key, value, *claims):
        text = ring() + f'[[method]]\nkind = "slow_local_sgd"\nH = 20\n{key} = {value}\n'
        code, j, error = report(text, *claims)
        self.assertEqual(code, 1, error)
        (terms,) = j["wrong_terms"]
        self.assertEqual(terms["method"], "Local SGD, H = 20")
        return {t["term"]: t for t in terms["terms"]}

    def test_each_term_is_named(self):
        for key, value, claims, name in [("drift_2", 2, ["2"], "drift-II"), ("drift_2", 0, ["2", "4"], "drift-II"),
                                         ("drift_1", 0.5, ["4"], "drift-I"),
                                         ("tangent_normal", 0, ["2"], "tangent-normal blocks"),
                                         ("diffusion", 2, ["3"], "diffusion")]:
            with self.subTest(key=key, value=value):
                terms = self.planted(key, value, *claims)
                wrong = {n for n, t in terms.items() if t["wrong"]}
                # The normal Ito term belongs to the diffusion: a wrong one is seen in both.
                self.assertEqual(wrong - {"normal Ito"} if key == "diffusion" else wrong, {name}, terms)
                self.assertEqual(terms[name]["has"], value)
                for n, t in terms.items():  # what is measured is the theory, whatever was proposed
                    self.assertLess(abs(t["measured"] - 1), 5 * t["standard_error"] + 0.05, (n, t))

    def test_what_agrees_is_not_asked(self):
        _, j, _ = report(ring(), "2")
        self.assertEqual(j["wrong_terms"], [])

    def test_several_proposals_are_rows_of_their_own(self):
        text = ring() + "".join(f'[[method]]\nkind = "slow_local_sgd"\nname = "{n}"\nH = 20\n{k}\n'
                                for n, k in [("theory", ""), ("twice", "drift_2 = 2")])
        r = sde(text, "2")
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertRegex(r.stdout, r"2  theory .* agrees")
        self.assertRegex(r.stdout, r"2  twice .* disagrees")
        self.assertRegex(r.stdout, r"wrong: drift-II \(has 2, measured [0-9.]+ \+- [0-9.]+\)\n")


if __name__ == "__main__":
    unittest.main()
