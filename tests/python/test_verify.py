"""sde verify from outside: verdicts, controls, JSON, the same bits for any number of threads, bad input."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

SDE = sys.argv.pop(1)


def sde(*arguments):
    return subprocess.run([SDE, "verify", *arguments], capture_output=True, text=True, timeout=600)


def rows(text):
    return [r for r in json.loads(text)["rows"]]


class Verdicts(unittest.TestCase):
    def test_claims_agree_and_controls_are_rejected(self):
        r = sde("1", "3", "9", "--loss", "ring", "--json")
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        report = json.loads(r.stdout)
        self.assertEqual(report["disagrees"] + report["inconclusive"] + report["controls_not_rejected"] + report["controls_undecided"],
                         0)
        self.assertGreaterEqual(report["controls_rejected"], 5)
        for row in report["rows"]:
            self.assertIn(row["verdict"], ("rejected",) if row["control"] else ("agrees",), row)
            low, high = row["difference_interval"]
            self.assertLessEqual(low, row["difference"])
            self.assertLessEqual(row["difference"], high)
            if not row["control"]:
                self.assertLess(row["margin"][0], low, row)
                self.assertLess(high, row["margin"][1], row)
        self.assertGreater(len(report["cells"]), 20)

    def test_wrong_predictions_are_rejected_by_5_standard_errors(self):
        report = json.loads(sde("13", "--loss", "ring", "--json").stdout)
        controls = {r["quantity"]: r for r in report["rows"] if r["control"]}
        for words in ("drift-II dropped", "without tangent-normal", "K - 1 for K", "eta 10%", "SGD's prediction"):
            row = next(r for q, r in controls.items() if words in q)
            distance = abs(row["measured"] - row["predicted"]) - row["margin"][1]
            self.assertGreater(distance, 5 * row["standard_error"], row)

    def test_same_bits_for_any_number_of_threads(self):
        one, three = (rows(sde("3", "5", "8", "--loss", "valley", "--json", "--threads", n).stdout) for n in "13")
        self.assertEqual(one, three)

    def test_another_seed_gives_other_numbers(self):
        one, two = (rows(sde("5", "--loss", "valley", "--json", "--seed", n).stdout)[0]["measured"] for n in "12")
        self.assertNotEqual(one, two)

    def test_out_holds_the_report_and_a_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            r = sde("5", "--loss", "hyperbola", "--out", folder)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn("1 agree, 0 disagree, 0 inconclusive", r.stdout)
            self.assertEqual(sorted(os.listdir(folder)), ["claim_5.png", "claim_5.svg", "verify.json"])

    def test_not_applicable_says_why(self):
        r = sde("1", "3", "--loss", "hyperbola")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("claim 3 on hyperbola, not applicable", r.stdout)
        self.assertIn("Sigma_par = 0", r.stdout)

    def test_nothing_to_measure(self):
        r = sde("3", "--loss", "hyperbola")
        self.assertEqual(r.returncode, 2)
        self.assertIn("Sigma_par = 0", r.stderr)

    def test_a_budget_too_small_says_what_would_suffice(self):
        r = sde("9", "--loss", "ring", "--budget", "0.01")
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertIn("0 agree, 0 disagree, 4 inconclusive", r.stdout)
        self.assertIn("gradients would decide", r.stdout)
        self.assertIn("too small to decide any claim", r.stderr)

    def test_bad_input(self):
        for arguments, words in [
            ([], ["--all", "1, 2, 3"]),
            (["--all", "2"], ["--all"]),
            (["77"], ["no claim 77", "13"]),
            (["11"], ["generalization"]),
            (["2", "--loss", "vally"], ["valley"]),
            (["2", "--budget", "slow"], ["quick, full"]),
            (["2", "--budget", "-3"], ["seconds above 0"]),
            (["2", "--seed", "-1"], ["seed"]),
        ]:
            r = sde(*arguments)
            self.assertEqual(r.returncode, 2, (arguments, r.stderr))
            for word in words:
                self.assertIn(word, r.stderr, arguments)
        self.assertEqual(sde("5", "--loss", "valley", "--out", "/proc/nowhere").returncode, 4)


if __name__ == "__main__":
    unittest.main()
