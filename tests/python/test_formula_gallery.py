"""The gallery of typed losses, experiments/formulas: each runs, starts as sharp as by hand, and does what its title says of it.
Usage: test_formula_gallery.py SDE_BINARY"""

import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

import netCDF4
import numpy as np

SDE = os.path.abspath(sys.argv.pop(1))
FILES = {f.stem: f for f in sorted(pathlib.Path("experiments/formulas").glob("*.toml"))}
SMALL = ["--set", "experiment.paths=4", "--set", "experiment.time=0.1", "--set", "experiment.observations=2"]
# tr Hess at the start, from the formula: |grad f|^2 of one residual (h |grad f|^2 of a loss h f^2/2), the mean of several
SHARPNESS = {
    "cubic_curve": (1 + 0.8**2) * (1 + 9 * 0.8**4),
    "torus": 2.0**2,  # x^2 + y^2 on Gamma
    "parabola_valley": 1 + 4 * 1.5**2,
    "quartic_ring": 1.0,  # x^6 + y^6
    "log_cosh_hyperbola": 2.5**2 + 0.4**2,
    "coupled_residuals": 0.5**2 + 1 / 0.5**2,  # (x^2 + 2 y^2 + z^2)/2
    "matrix_factorization": (2.5**2 + 1 + 1 + 0.8**2 + 0.4**2 + 1) / 2,  # (|U|^2 + |V|^2)/2
    "phase_retrieval": 4.0,  # 4/n sum y |a|^2
}


def run(file, folder, *arguments):
    r = subprocess.run([SDE, "run", str(file), "--out", folder, "--no-figure", "--quiet", "--json", *arguments], capture_output=True,
                       text=True, env={**os.environ, "SDE_COMPILE": "never"}, timeout=300)
    assert r.returncode == 0, (file, r.stderr)
    with open(pathlib.Path(folder) / f"{file.stem}.nc", "rb") as stream:
        return json.loads(r.stdout), netCDF4.Dataset("memory", memory=stream.read()), r.stderr


def xor_sharpness():
    """tr Hess of the XOR network where the gradient flow from the file's start ends, by Runge-Kutta steps: the slowest eigenvalue is
    0.29, so that e^(-0.29 * 80) = 1e-10 of the way is left."""
    loss = tomllib.loads(FILES["xor_network"].read_text())["loss"]
    x1, x2, y = (np.array(loss["data"][k], float)[:, None] for k in ("x1", "x2", "y"))

    def residuals(theta):
        a, b, c, v = theta.reshape(4, 3)
        t = np.tanh(a * x1 + b * x2 + c)
        inner = v * (1 - t**2)
        return (t @ v)[:, None] - y, np.hstack([inner * x1, inner * x2, inner, t])

    def flow(theta):
        f, J = residuals(theta)
        return -(J.T @ f)[:, 0] / 4

    theta, h = np.concatenate([np.array(loss["start"][k], float) for k in "abcv"]), 0.02
    for _ in range(4000):
        k1 = flow(theta)
        k2 = flow(theta + h / 2 * k1)
        k3 = flow(theta + h / 2 * k2)
        theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + flow(theta + h * k3))
    return float((residuals(theta)[1]**2).sum() / 4)


class Gallery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.results = {name: run(file, folder, *SMALL) for name, file in FILES.items()}

    def test_ten(self):
        self.assertEqual(sorted([*SHARPNESS, "rescaled_hyperbola", "xor_network"]), sorted(FILES))

    def test_no_path_is_lost_and_nothing_is_complained_of(self):
        for name, (found, _, complaints) in self.results.items():
            with self.subTest(name):
                self.assertEqual(complaints, "")
                for cell in found.get("cells", [found]):
                    self.assertEqual(len(cell["methods"]), 4)
                    for m in cell["methods"]:
                        self.assertEqual((m["lost"], m.get("failure", "")), (0, ""), m["name"])
                        self.assertTrue(math.isfinite(m["final"]["trace_hessian"]["mean"]), m["name"])

    def test_sharpness_at_the_start(self):
        for name, by_hand in SHARPNESS.items():
            with self.subTest(name):  # Newton steps end within 1e-12 of Gamma, relative
                np.testing.assert_allclose(self.results[name][1]["trace_hessian"][:, 0], by_hand, rtol=1e-10)
        swept = self.results["rescaled_hyperbola"][1]
        self.assertEqual(len(swept["a"]), 5)
        for a, sharpness in zip(swept["a"][:], swept["trace_hessian"][:, :, 0]):
            q = 2**2 - 0.5**2  # x^2 - y^2, which the gradient flow keeps; (x^2 + y^2)^2 = q^2 + 4/a^2
            np.testing.assert_allclose(sharpness, a**2 * math.hypot(q, 2 / a), rtol=1e-8)  # the flow's tolerance
        np.testing.assert_allclose(self.results["xor_network"][1]["trace_hessian"][:, 0], xor_sharpness(), rtol=1e-7)

    def test_a_start_is_on_gamma_where_its_file_can_say_so(self):
        for name in SHARPNESS:
            with self.subTest(name):
                start = self.results[name][1]["distance"]
                self.assertLess(abs(start[0, 0]), 5e-3)  # two digits of a start

    def test_slow_odes_do_as_the_titles_say(self):
        ends = {"torus": 1.0, "parabola_valley": 1.0, "coupled_residuals": 2.0, "matrix_factorization": 3.0}
        for name in ends:
            with self.subTest(name):
                methods = self.results[name][0]["methods"]
                sharpness = {m["kind"]: m["final"]["trace_hessian"]["mean"] for m in methods}
                self.assertLess(sharpness["slow_ode_sgd"], SHARPNESS[name])
                self.assertLess(sharpness["slow_ode_local_sgd"], sharpness["slow_ode_sgd"])
                self.assertGreater(sharpness["slow_ode_local_sgd"], ends[name])

    def test_phase_retrieval_is_moved_by_local_sgd_alone(self):
        data = self.results["phase_retrieval"][1]
        largest = dict(zip(data["run"][:], data["lambda_max"][:]))
        sgd, local = largest["SGD (slow ODE)"], largest["Local SGD, H = 50 (slow ODE)"]
        self.assertAlmostEqual(sgd[-1], sgd[0], places=10)
        self.assertLess(local[-1], local[0] - 1e-3)


class List(unittest.TestCase):
    def setUp(self):
        r = subprocess.run([SDE, "list", "--formulas"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.printed = r.stdout

    def test_names_formulas_and_titles_are_the_files(self):
        for name, file in FILES.items():
            with self.subTest(name):
                text = tomllib.loads(file.read_text())
                line, title = self.printed[self.printed.index(f"\n  {name} "):].splitlines()[1:3]
                key = next(k for k in ("formula", "residual", "residuals") if k in text["loss"])
                self.assertEqual(line.split(maxsplit=1)[1], f"{key} = {json.dumps(text['loss'][key])}")
                self.assertEqual(title.strip(), text["title"])
        self.assertIn("sde list --formulas", subprocess.run([SDE, "list"], capture_output=True, text=True).stdout.splitlines()[0])

    def test_its_functions_are_known(self):
        functions = re.search(r"functions +(.*)", self.printed)[1].split(", ")
        self.assertIn("logcosh", functions)
        for function in functions:
            r = subprocess.run([SDE, "terms", "--residual", f"y - {function}(x) + {function}(1)", "--at", "1,0", "--json"], capture_output=True,
                               text=True)
            self.assertEqual(r.returncode, 0, (function, r.stderr))
            self.assertAlmostEqual(json.loads(r.stdout)["point"][0], 1, places=12)

    def test_what_it_says_is_refused(self):
        for text in re.search(r"refused: (.*)", self.printed)[1].split(", "):
            r = subprocess.run([SDE, "terms", "--residual", text, "--at", "1,1,1"], capture_output=True, text=True)
            self.assertEqual(r.returncode, 2)
            self.assertIn("two ways", r.stderr, text)

    def test_one_list_at_a_time(self):
        self.assertEqual(subprocess.run([SDE, "list", "--formulas", "--markdown"], capture_output=True).returncode, 2)

    def test_the_files_are_those_of_the_installation(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/experiments/formulas")
            pathlib.Path(f"{folder}/experiments/formulas/own.toml").write_text('title = "Own"\nloss.residual = "u v - 1"\n')
            r = subprocess.run([SDE, "list", "--formulas"], capture_output=True, text=True, env={**os.environ, "SDE_SHARE": folder})
        self.assertIn('own                   residual = "u v - 1"', r.stdout)
        self.assertNotIn("torus", r.stdout)


class Terms(unittest.TestCase):
    def test_torus(self):
        residual = tomllib.loads(FILES["torus"].read_text())["loss"]["residual"]
        r = subprocess.run([SDE, "terms", "--residual", residual, "--at", "2,0,1", "--sigma2", "1", "--workers", "4", "--alpha", "0.5",
                            "--json"], capture_output=True, text=True)
        j = json.loads(r.stdout)
        self.assertEqual(j["variables"], ["x", "y", "z"])
        np.testing.assert_allclose(j["hessian_eigenvalues"], [0, 0, 4], atol=1e-12)
        # -sigma^2/(4B) of the tangent gradient of x^2 + y^2, at the top of the tube: (4, 0, 0); drift-II is (K-1) psi(2 alpha 4) of it
        psi = (math.exp(-4) - 1 + 4) / 4
        np.testing.assert_allclose(j["drift_1"], [-0.25, 0, 0], atol=1e-12)
        np.testing.assert_allclose(j["drift_2"], [-0.25 * 3 * psi, 0, 0], atol=1e-12)


if __name__ == "__main__":
    unittest.main()
