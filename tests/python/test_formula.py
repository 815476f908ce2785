"""Losses typed in experiment files and on the command line: what works, what is refused, and when they are compiled.
Usage: test_formula.py SDE_BINARY"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import netCDF4
import numpy as np

SDE = sys.argv.pop(1)

REST = """
[noise]
kind = "gaussian"
covariance = [1.0, 0.4, 0.4, 0.8]
[training]
eta = 0.02
workers = 2
batch = 2
H = 5
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_local_sgd"
"""
RING = """
[experiment]
paths = 64
time = 0.5
observations = 4
[loss]
residual = "sqrt(1 + a x) (x^2 + y^2 - 1)"
parameters = {a = 0.5}
start = [0.6, 0.8]
""" + REST


def variables(path):
    """The numbers of a dataset and its groups, by name."""
    found = {}

    def walk(group, prefix):
        for name, v in group.variables.items():
            values = np.ma.filled(v[:], 0) if v.dtype != str else v[:]
            found[prefix + name] = np.asarray(values)
        for name, inner in group.groups.items():
            walk(inner, prefix + name + "/")

    with netCDF4.Dataset(path) as data:
        walk(data, "")
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")
        self.cache = os.path.join(self.folder.name, "cache")

    def sde(self, *arguments, **environment):
        settings = {"SDE_COMPILE": "never", "SDE_CACHE_DIR": self.cache, **environment}
        return subprocess.run([SDE, *arguments], capture_output=True, text=True, env={**os.environ, **settings})

    def write(self, text, name="mine.toml"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_file(self, text, *arguments, out=None, **environment):
        return self.sde("run", self.write(text), "--no-figure", "--quiet", "--out", out or self.out, *arguments,
                        **environment)

    def numbers(self, text, *arguments, **environment):
        r = self.run_file(text, *arguments, **environment)
        self.assertEqual(r.returncode, 0, r.stderr)
        found = variables(os.path.join(self.out, "mine.nc"))
        shutil.rmtree(self.out)
        return found

    def assert_same_bits(self, a, b):
        self.assertEqual(a.keys(), b.keys())
        for name in a:
            if a[name].dtype == object:
                self.assertEqual(list(a[name].flat), list(b[name].flat), name)
            else:
                np.testing.assert_array_equal(a[name], b[name], name)


class Terms(Case):
    def terms(self, *arguments):
        r = self.sde("terms", *arguments, "--json")
        self.assertEqual(r.returncode, 0, r.stderr)
        return json.loads(r.stdout)

    def test_formula_residual_and_built_in_loss_agree(self):
        noise = ["--noise", "gaussian", "--cov", "1,0.3,0.3,0.5", "--workers", "4", "--alpha", "0.2", "--at", "0.6,0.8"]
        all_three = [self.terms("--loss", "ring", "--param", "a=0.5", *noise),
                     self.terms("--formula", "1/2 (1 + a x)(x^2 + y^2 - 1)^2", "--param", "a=0.5", *noise),
                     self.terms("--residual", "sqrt(1 + a x) (x^2 + y^2 - 1)", "--param", "a=0.5", *noise)]
        for key in ("drift_1", "drift_2", "ito_normal", "diffusion", "sigma_hat", "psi_hat", "gradient_trace_hessian"):
            for other in all_three[1:]:
                np.testing.assert_allclose(other[key], all_three[0][key], rtol=1e-12, atol=1e-13, err_msg=key)
        self.assertEqual(all_three[1]["variables"], ["x", "y"])

    def test_order_of_variables(self):
        a = self.terms("--formula", "1/2 (y - x^3)^2", "--noise", "gaussian", "--at", "0.5,0.125")
        b = self.terms("--formula", "1/2 (y - x^3)^2", "--noise", "gaussian", "--at", "0.125,0.5", "--variables", "y,x")
        np.testing.assert_allclose(a["drift_1"], b["drift_1"][::-1], rtol=1e-13)


class Refused(Case):
    def test_messages(self):
        table = [
            (["--formula", "1/2 (y - x^3"], ["loss.formula", "this '(' is never closed", "      ^"]),
            (["--formula", "2 *"], ["expected a number, a name or '(' ", "got the end"]),
            (["--formula", "x + 1e999"], ["'1e999' is too large"]),
            (["--formula", "sqr(x)"], ["did you mean 'sqrt'?"]),
            (["--formula", "1/2x"], ["read in two ways"]),
            (["--formula", "(" * 10_000], ["nested deeper than 200"]),
            (["--formula", "x" + " + x" * 20_000], ["formula of 80001 characters", "at most 65536"]),
            (["--formula", "x^2", "--at", "1,2"], ["expected 1 coordinates", "(x)", "got 2"]),
            (["--formula", "3"], ["at least one variable"]),
            (["--formula", "x^2 + z0", "--variables", "x"], ["unknown name 'z0'", "names here: x"]),
            (["--formula", "x^2 + y^2", "--variables", "x,y,z", "--at", "1,1,1"], ["'z' does not occur"]),
            (["--formula", "x^2", "--param", "b=1", "--at", "1"], ["loss.parameters: 'b' does not occur"]),
            (["--formula", "x^2 + 0 y", "--variables", "x,y", "--at", "1,1"], ["'y' does not occur", "cancels"]),
            (["--formula", "1/(x - 1) + y", "--at", "1,2"], ["not finite there", "1/(x - 1) is inf"]),
            (["--formula", "log(-1) x", "--at", "1"], ["log(-1) is nan", "no theta changes"]),
            (["--formula", "1/0 x", "--at", "1"], ["is inf", "no theta changes"]),
            (["--formula", "x^2"], ["--at: missing", "(x)"]),
            (["--formula", "x^2", "--residual", "x"], ["one of --loss NAME, --formula TEXT and --residual TEXT"]),
            (["--formula", "x; system('true')"], ["unexpected ';'"]),
            (["--formula", "x \"); }"], ["unexpected '\"'"]),
            (["--loss", "ring", "--variables", "x"], ["--variables: belongs to --formula"]),
            (["--formula", "x^2", "--variables", "sin,x"], ["'sin' is a function of formulas"]),
            (["--formula", "x^2", "--param", "e=1"], ["'e' is a constant of formulas"]),
        ]
        for arguments, words in table:
            with self.subTest(arguments=[a[:40] for a in arguments]):
                r = self.sde("terms", *arguments, "--noise", "gaussian")
                self.assertEqual(r.returncode, 2, r.stdout + r.stderr)
                for word in words:
                    self.assertIn(word.strip(), r.stderr)
                self.assertLess(len(r.stderr), 1000)

    def test_messages_of_files(self):
        loss = '[loss]\nresidual = "x y - 1"\nstart = [2, 0.5]\n'
        table = [
            (loss.replace("start = [2, 0.5]", "start = [2]"), ["loss.start", "2 coordinates (x, y), got 1"]),
            (loss.replace("start = [2, 0.5]", "start = {x = 2}"), ["loss.start.y", "missing"]),
            (loss.replace("start = [2, 0.5]", "start = {x = 2, y = 1, z = 3}"), ["loss.start.z", "unknown key"]),
            (loss.replace("start = [2, 0.5]\n", ""), ["start.at", "has no start of its own"]),
            (loss + 'formula = "x"\n', ["there is formula already"]),
            (loss + 'named = "ring"\n', ["loss.named", "unknown key", "did you mean 'name'?"]),
            (loss.replace("residual = \"x y - 1\"", "residuals = []"), ["at least one formula"]),
            (loss.replace("\"x y - 1\"", "[\"x y - 1\", \"x\"]"), ["expected one formula, got 2", "residuals = [...]"]),
            (loss.replace("residual =", "residuals =").replace("\"x y - 1\"", "[\"x y - 1\", \"x +\"]"),
             ["entry 2", "got the end"]),
            (loss + "variables = {x = 0, y = 1}\n", ["loss.variables.x", "from 1 to 4096"]),
            (loss + 'parameters = {x = 1}\n[x]\n', ["loss.start", "1 coordinates (y)"]),
            (loss + 'variables = ["x", "y"]\nparameters = {x = 1}\n', ["'x' is the name of something else"]),
            (loss + 'test_residual = "x"\n', ["loss.test_data", "missing"]),
            (loss + "[loss.data]\np = [1, 2]\nq = [1]\n", ["loss.data.q", "expected 2 rows, as in 'p', got 1"]),
            (loss + "[loss.data]\np = [[1, 2], [3]]\n", ["row 2: expected 2 numbers"]),
            (loss + "[loss.data]\nfile = \"no.csv\"\n", ["no.csv: cannot be read"]),
            (loss + "[loss.data]\nfile = \"no.txt\"\n", ["expected a file of data, .csv or .nc"]),
        ]
        for text, words in table:
            with self.subTest(text=text):
                r = self.run_file(text + REST)
                self.assertEqual(r.returncode, 2, r.stdout + r.stderr)
                for word in words:
                    self.assertIn(word, r.stderr)

    def test_a_path_that_leaves_the_domain_names_the_subexpression(self):
        text = RING.replace("sqrt(1 + a x) (x^2 + y^2 - 1)", "sqrt(x) y - a").replace("[0.6, 0.8]", "[0.5, 0.7]")
        text = text.replace("covariance = [1.0, 0.4, 0.4, 0.8]", "variance = 100")
        for kind in "local_sgd", "sgd":  # a worker within its round; a step
            with self.subTest(kind=kind):
                r = self.run_file(text.replace('"local_sgd"', f'"{kind}"'))
                self.assertEqual(r.returncode, 3, r.stderr)
                self.assertRegex(r.stderr, r"the first: path \d+, step \d+, .*not a number: sqrt\(x\) is -?nan at \(-")

    def test_relu_is_warned_of(self):
        r = self.run_file(RING.replace("(x^2 + y^2 - 1)", "(x^2 + relu(y)^2 - 1)"))
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("relu, whose derivative jumps", r.stderr)


class Data(Case):
    LOSS = """
[experiment]
paths = 16
time = 0.2
observations = 2
[loss]
variables = {u = 2, v = 2}
residual = "dot(u*u - v*v, x) - y"
test_residual = "dot(u*u - v*v, x) - y"
start = {u = [1, 0.8], v = [0.3, 0.2]}
[loss.test_data]
x = [[1.0, 0.0], [0.0, 2.0]]
y = [0.5, 1.0]
"""
    INLINE = "[loss.data]\nx = [[1.0, 0.4], [0.5, -0.2]]\ny = [0.7, 0.3]\n"

    def of(self, data, rest=REST):
        return self.numbers(self.LOSS + data + rest.replace("covariance = [1.0, 0.4, 0.4, 0.8]", "variance = 0.5"))

    def test_inline_csv_and_netcdf_are_the_same(self):
        self.write("x1,x2,y\n1,0.4,0.7\n0.5,-0.2,0.3\n", "points.csv")
        with netCDF4.Dataset(os.path.join(self.folder.name, "points.nc"), "w") as file:
            file.createDimension("row", 2)
            file.createDimension("entry", 2)
            file.createVariable("x", "f8", ("row", "entry"))[:] = [[1.0, 0.4], [0.5, -0.2]]
            file.createVariable("y", "f8", ("row",))[:] = [0.7, 0.3]
        inline = self.of(self.INLINE)
        for file in ("points.csv", "points.nc"):
            self.assert_same_bits(inline, self.of(f'[loss.data]\nfile = "{file}"\n'))
        # The test error at the start, by hand.
        beta = np.array([1, 0.8]) ** 2 - np.array([0.3, 0.2]) ** 2
        # The algorithm starts there, the slow SDE at its Phi.
        errors = np.array([beta[0] - 0.5, 2 * beta[1] - 1.0]) ** 2
        self.assertAlmostEqual(float(inline["test_error"].reshape(2, -1)[0, 0]), errors.mean(), delta=0.2 * errors.mean())

    def test_bad_files(self):
        table = [("x1,x2,y\n1,2\n", ["row 2", "expected 3 entries", "got 2"]),
                 ("x1,x2,y\n1,2,3,4\n", ["row 2", "expected 3 entries", "got more"]),
                 ("x1,x2,y\n1,nan,3\n", ["row 2", "column x2", "finite number", "'nan'"]),
                 ("x1,x2,y\n1,1e999,3\n", ["row 2", "column x2"]),
                 ("x1,x1,y\n1,1,3\n", ["two columns are named 'x1'"]),
                 ("1,2,3\n1,1,3\n", ["the name '1' of column 1"]),
                 ("", ["expected a row of names"]),
                 ("x1,x2,y\n", ["rows of numbers"]),
                 ('x1,x2,y\n1,"2,3\n', ["points.csv"])]
        for text, words in table:
            with self.subTest(text=text):
                self.write(text, "points.csv")
                r = self.run_file(self.LOSS + '[loss.data]\nfile = "points.csv"\n' + REST)
                self.assertEqual(r.returncode, 2, r.stdout + r.stderr)
                for word in words:
                    self.assertIn(word, r.stderr)
        self.write("this is no netCDF file", "points.nc")
        r = self.run_file(self.LOSS + '[loss.data]\nfile = "points.nc"\n' + REST)
        self.assertEqual(r.returncode, 2)
        self.assertIn("not a netCDF file", r.stderr)


class Parameters(Case):
    def test_set_and_sweep(self):
        other = self.numbers(RING, "--set", "loss.parameters.a=0.2")
        sharpness = other["trace_hessian"].reshape(2, -1)[0, 0]
        self.assertAlmostEqual(float(sharpness), 4 * (1 + 0.2 * 0.6), places=9)
        r = self.run_file(RING, "--sweep", "loss.parameters.a=0,0.3")
        self.assertEqual(r.returncode, 0, r.stderr)
        with netCDF4.Dataset(os.path.join(self.out, "mine.nc")) as data:
            np.testing.assert_allclose(np.asarray(data["a"][:], float), [0, 0.3])


class Compiled(Case):
    LOSSES = {
        "one residual": RING,
        "several": RING.replace("residual = ", "residuals = [").replace('- 1)"', '- 1)", "x y - 0.48 + 0.1 y^3 a - 0.0256"]'),
        "a value": RING.replace('residual = "sqrt(1 + a x) (x^2 + y^2 - 1)"', 'formula = "logcosh(x^2 + y^2 - 1) (1 + a x)"'),
        "float": RING.replace("H = 5", 'H = 5\nprecision = "float"'),
        "momentum, a graph, Adam": RING.replace("loss.", "experiment.pairs = 0\nloss.", 1) + """
[[method]]
kind = "heavy_ball"
eta = 0.005
[[method]]
kind = "diloco"
[[method]]
kind = "gossip"
[[method]]
kind = "local_adam"
""",
    }

    def test_compiled_and_interpreted_have_the_same_bits(self):
        for name, text in self.LOSSES.items():
            with self.subTest(name):
                if name == "several":
                    text = text.replace("parameters", "start = [0.6, 0.8]\nparameters", 1).replace(
                        "start = [0.6, 0.8]\n", "", 1)
                plain = self.numbers(text)
                self.assert_same_bits(plain, self.numbers(text, SDE_COMPILE="wait"))

    def test_kept_and_taken_at_once(self):
        r = self.run_file(RING, SDE_COMPILE="wait")
        self.assertEqual(r.returncode, 0, r.stderr)
        modules = sorted(os.listdir(self.cache))
        self.assertEqual(len(modules), 1, modules)  # one module, and nothing of the compiler's
        stamp = os.stat(os.path.join(self.cache, modules[0])).st_mtime_ns
        # Other parameters, the same formula: the same module. A compiler that fails is not called.
        r = self.run_file(RING, "--set", "loss.parameters.a=0.1", SDE_COMPILE="wait", PATH="/nowhere")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(sorted(os.listdir(self.cache)), modules)
        self.assertEqual(os.stat(os.path.join(self.cache, modules[0])).st_mtime_ns, stamp)
        # Another one: another module.
        self.run_file(RING.replace("1 + a x", "1 + a x^3"), SDE_COMPILE="wait")
        self.assertEqual(len(os.listdir(self.cache)), 2)

    def test_a_long_run_goes_over_to_the_compiled_kernels(self):
        text = RING.replace("paths = 64", "paths = 4000").replace("time = 0.5", "time = 100").replace("5\n[[", "5\ndt = 0.01\n[[")
        plain = self.numbers(text, SDE_COMPILE="wait", SDE_CACHE_DIR=os.path.join(self.folder.name, "other"))
        over = self.numbers(text, SDE_COMPILE="background", SDE_COMPILE_AFTER="0")
        self.assert_same_bits(plain, over)
        self.assertEqual(len(os.listdir(self.cache)), 1)

    def test_short_runs_do_not_compile(self):
        self.numbers(RING, SDE_COMPILE="background")
        self.assertFalse(os.path.exists(self.cache) and os.listdir(self.cache))

    def test_no_compiler(self):
        r = self.run_file(RING, SDE_COMPILE="wait", SDE_CXX="/no/compiler")
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn("a formula cannot be compiled", r.stderr)
        self.assertIn("SDE_COMPILE=never", r.stderr)
        r = self.run_file(RING, SDE_COMPILE="background", SDE_COMPILE_AFTER="0", SDE_CXX="/no/compiler")
        self.assertEqual(r.returncode, 0, r.stderr)
        r = self.run_file(RING, SDE_COMPILE="sometimes")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn("valid: never, background, wait", r.stderr)


if __name__ == "__main__":
    unittest.main()
