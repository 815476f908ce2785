"""The figures of `sde plot`: what is in them, by their SVG. Usage: test_figure.py SDE_BINARY"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import numpy as np

sys.path.insert(0, "share")
from figure_style import plain, typeset, typeset_component
from panels import pooled, thin

SDE = os.path.abspath(sys.argv.pop(1))
RING = """
[experiment]
paths = 32
time = 0.1
observations = 4
observe = ["x1^2 - 0.5*x1*x2"]
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [1, 0.3, 0.3, 0.5]
[training]
eta = 0.02
workers = 4
batch = 4
"""
PAIR = "[[method]]\nkind = 'local_sgd'\nH = {H}\n[[method]]\nkind = 'slow_local_sgd'\nH = {H}\ndt = 0.01\n"


def sde(*arguments):
    return subprocess.run([SDE, *arguments], capture_output=True, text=True)


class Pieces(unittest.TestCase):
    def test_joined_intervals_keep_the_mean_and_leave_none_out(self):
        random = np.random.default_rng(1)
        for n in (0, 1, 2, 3, 10, 80, 81):
            for most in (5, 16):
                for shift in np.linspace(-0.49, 0.49, 7):
                    width = random.uniform(0.5, 1.5, n)
                    at = np.cumsum(width)
                    x, mean, se = pooled(at, width, 2 * at + 1, np.ones(n), most, shift)
                    self.assertTrue(min(n, most) - 1 <= len(x) <= most + 1 and (len(x) > 0) == (n > 0), (n, most, shift, len(x)))
                    np.testing.assert_allclose(mean, 2 * x + 1)
                    self.assertTrue((se <= 1 + 1e-12).all())
        x, _, _ = pooled(np.arange(4.0), np.array([1, 0, 1, 1.0]), np.array([1, np.nan, np.nan, 2.0]), np.ones(4), 16, 0)
        np.testing.assert_array_equal(x, [0, 3])  # an interval without a width, and one without a mean

    def test_marks_are_observations_with_both_ends(self):
        for shift in (-0.4, 0, 0.4):
            places = thin(81, 16, shift)
            self.assertEqual((places[0], places[-1], len(places)), (0, 80, 16))
        np.testing.assert_array_equal(thin(5, 16, 0.3), range(5))

    def test_text(self):
        self.assertEqual(typeset("x1^2 - 0.5*x1*x12"), r"$x_{1}^{2} - 0.5\,x_{1}\,x_{12}$")
        self.assertEqual(typeset("2e-03*x1"), r"$2\cdot 10^{-3}\,x_{1}$")
        self.assertEqual(typeset("largest Hessian eigenvalue"), "largest Hessian eigenvalue")
        self.assertEqual(typeset_component("x12"), "$x_{12}$")
        self.assertEqual(plain(" a\n\tb\x07 ", 10), "a b")
        self.assertEqual(plain("abcdefghijk", 10), "abcdefg...")


class Figure(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def at(self, *names):
        return os.path.join(self.folder.name, *names)

    def dataset(self, name, text, *more):
        """Runs an experiment file; returns its dataset."""
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name + ".toml"), "w") as f:
            f.write(text)
        r = sde("run", self.at(name + ".toml"), "--out", os.path.dirname(self.at(name)), "--no-figure", *more)
        self.assertEqual(r.returncode, 0, r.stderr)
        return self.at(name + ".nc")

    def svg(self, *arguments):
        """Draws; returns the figure's XML and its texts, in their order."""
        r = sde("plot", *arguments, "--out", self.at("figure"), "--formats", "svg")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertEqual(r.stdout, f"figure  {self.at('figure.svg')}\n")
        tree = xml.etree.ElementTree.parse(self.at("figure.svg"))
        texts = ["".join(e.itertext()) for e in tree.iter("{http://www.w3.org/2000/svg}text")]
        return tree, [re.sub(r"\s+", " ", t).strip() for t in texts]

    def test_titles_axes_and_legend(self):
        nc = self.dataset("ring", RING + PAIR.format(H=5))
        _, texts = self.svg(nc)
        for text in ("Sharpness tr Hess", "tr Hess", "ring", "Local SGD, H = 5", "line: SDE or ODE (theory)", "band, thin edges: its 95% interval",
                     "marker: algorithm, 95% interval", "dotted: without drift-II"):
            self.assertIn(text, texts)
        joined = " | ".join(texts)
        for wanted in (r"Drift of x *2", r"drift of , per slow time x *2", r"Diffusion of x *2", r"diffusion of , per slow time x *2"):
            self.assertRegex(joined, wanted)
        self.assertNotIn("x2", joined)  # typeset: its index is a text of its own
        self.assertIn("Algorithm - slow SDE, same noise", texts)
        self.assertIn("difference of tr Hess", texts)
        self.assertEqual(sum("slow time" in t and "local steps" in t for t in texts), 4)
        _, texts = self.svg(self.dataset("alone", RING + PAIR.format(H=5), "--set", "experiment.pairs=0"))
        self.assertEqual(sum("slow time" in t and "local steps" in t for t in texts), 3)
        _, texts = self.svg(nc, "--observable", "x1p2_minus_0d5_times_x1_times_x2", "--component", "x1")
        self.assertNotIn("x1p2", " ".join(texts))
        self.assertRegex(" ".join(texts), "Drift of x *1")

    def test_no_component_no_empty_panels(self):
        _, texts = self.svg(self.dataset("ring", RING + PAIR.format(H=5), "--set", "experiment.components=0", "--set", "experiment.pairs=0"))
        self.assertEqual(sum("local steps" in t for t in texts), 1)

    def test_titles_are_plain_text_in_one_line_and_cut(self):
        for title in (r"$\\frac{x_{$ % & #", r"50 $ and \\alpha_{ and 70 $", r"\\$ $$ ^_{}~", "one\\ntwo \\u0007\\t three", "word " * 600, "x" * 3000, ""):
            text = f'title = "{title}"\n' + RING + f"[[method]]\nkind='sgd'\nname = '{r'$a_{$ & H_{'}'\ngroup = '{r'$a_{$ & <H_{'}'\n"
            _, texts = self.svg(self.dataset("title", text))
            self.assertIn(r"$a_{$ & <H_{", texts)
            wanted = re.sub(r"\s+", " ", title.replace(r"\\", "\\").replace("\\n", " ").replace("\\u0007", " ").replace("\\t", " ")).strip()
            if len(wanted) <= 100:
                self.assertTrue(wanted == "" or wanted in texts, (wanted, texts))
            else:
                cut = next(t for t in texts if t.startswith(wanted[:60]))
                self.assertTrue(cut.endswith("...") and len(cut) < 130, cut)

    def test_names_of_datasets(self):
        one = self.dataset("a/ring", RING + PAIR.format(H=5))
        two = self.dataset("b/ring", RING + PAIR.format(H=5), "--set", "training.eta=0.01")
        _, texts = self.svg(one, two)
        self.assertIn("eta = 0.02: Local SGD, H = 5", texts)
        self.assertIn("eta = 0.01: Local SGD, H = 5", texts)
        three = self.dataset("c/ring", RING + PAIR.format(H=5), "--set", "noise.covariance=[1,0,0,1]")
        _, texts = self.svg(one, three)
        self.assertIn("ring (a): Local SGD, H = 5", texts)
        self.assertIn("ring (c): Local SGD, H = 5", texts)
        self.assertFalse([t for t in texts if self.folder.name in t])
        _, texts = self.svg(one, two, "--labels", "coarse,fine")
        self.assertIn("fine: Local SGD, H = 5", texts)
        r = sde("plot", one, two, "--labels", "one", "--out", self.at("no"))
        self.assertEqual(r.returncode, 2)
        self.assertIn("expected 2", r.stderr)

    def test_a_run_that_two_datasets_have_is_drawn_once(self):
        text = RING + "[[method]]\nkind = 'sgd'\n"
        one = self.dataset("one", text + PAIR.format(H=5))
        two = self.dataset("two", text + PAIR.format(H=10))
        tree, texts = self.svg(one, two)
        self.assertIn("SGD", texts)  # of both, so it is of neither
        self.assertIn("one: Local SGD, H = 5", texts)
        self.assertIn("two: Local SGD, H = 10", texts)
        alone, _ = self.svg(one)
        again, texts = self.svg(one, one)
        self.assertIn("Local SGD, H = 5", texts)
        self.assertEqual(len(list(again.iter())), len(list(alone.iter())))
        self.assertGreater(len(list(tree.iter())), len(list(alone.iter())))

    def test_lost_paths_are_in_the_legend(self):
        wild = RING.replace("eta = 0.02", "eta = 0.4").replace("time = 0.1", "time = 3").replace("covariance = [1, 0.3, 0.3, 0.5]", "variance = 6")
        nc = self.dataset("wild", wild + "[[method]]\nkind = 'sgd'\n", "--set", "experiment.max_lost=1", "--set", "training.batch=1",
                          "--set", "training.workers=1")
        _, texts = self.svg(nc)
        self.assertIn("SGD (lost paths: biased)", texts)

    def test_twenty_rows_and_help(self):
        _, texts = self.svg(self.dataset("many", RING + "".join(PAIR.format(H=h) for h in range(1, 11))))
        for h in range(1, 11):
            self.assertIn(f"Local SGD, H = {h}", texts)
        text = re.sub(r"\s+", " ", sde("plot", "--help").stdout)
        for words in ("by default tr Hess, drift and diffusion", "largest predicted drift", "--labels", "drawn once"):
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
