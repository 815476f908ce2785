"""The command line as a person meets it: output, bad input, exit codes. Usage: test_command_line.py SDE_BINARY"""

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SDE = sys.argv.pop(1)
MAIN = "experiments/main.toml"
SMALL = ["--set", "experiment.paths=8", "--set", "experiment.time=0.1", "--set", "experiment.observations=2",
         "--set", "training.eta=0.02", "--set", "method.6.H=50", "--set", "method.7.H=50", "--set", "method.8.beta=0.2"]


def sde(*arguments, env=None):
    return subprocess.run([SDE, *arguments], capture_output=True, text=True, env={**os.environ, **(env or {})})


EXPERIMENTS = tempfile.TemporaryDirectory()  # gone at exit


def experiment(text):
    with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=EXPERIMENTS.name, delete=False) as file:
        file.write(text)
    return file.name


VALID = """
[experiment]
paths = 8
time = 0.1
observations = 2
[loss]
name = "hyperbola"
[noise]
kind = "label"
[training]
eta = 0.02
workers = 2
batch = 4
[[method]]
kind = "local_sgd"
H = 5
"""


class Bench(unittest.TestCase):
    def test_algorithms_in_both_precisions(self):
        r = subprocess.run([SDE, "bench", "--only", "Local SGD (K = 8, H = 20), hyperbola", "--json"], capture_output=True, text=True, timeout=120)
        self.assertEqual(r.returncode, 0, r.stderr)
        found = json.loads(r.stdout)
        works = json.dumps(found)
        self.assertIn("Local SGD (K = 8, H = 20), hyperbola, float", works)
        self.assertIn("Local SGD (K = 8, H = 20), hyperbola", works)


class Terms(unittest.TestCase):
    def test_json_keys_and_values(self):
        r = sde("terms", "--loss", "hyperbola", "--at", "2,0.5", "--sigma2", "1", "--workers", "8", "--batch", "8", "--alpha", "0.5", "--json")
        self.assertEqual(r.returncode, 0, r.stderr)
        j = json.loads(r.stdout)
        for key in ("point gradient_norm hessian_eigenvalues trace_hessian lambda_max sigma_hat psi_hat drift_1 drift_2 "
                    "ito_normal diffusion").split():
            self.assertIn(key, j)
        self.assertAlmostEqual(j["trace_hessian"], 4.25)
        q_rate = 2 * (2 * j["drift_1"][0] - 0.5 * j["drift_1"][1])
        self.assertAlmostEqual(q_rate, -3.75 / 8, places=12)  # dq/dt = -(sigma^2/B) q
        self.assertFalse(j["projected"])

    def test_state_noise(self):
        j = json.loads(sde("terms", "--loss", "ring", "--at", "0,1", "--noise", "state", "--noise-param", "constant=[0.5,0.2]",
                           "--noise-param", "slopes=[0,0,0.1,0]", "--json").stdout)
        self.assertAlmostEqual(j["diffusion"][0][0], 0.36)  # A = (0.5 + 0.1 y, 0.2), tangent x

    def test_a_point_off_gamma_is_projected_and_said_so(self):
        j = json.loads(sde("terms", "--loss", "hyperbola", "--at", "2,0.7", "--json").stdout)
        self.assertTrue(j["projected"])
        self.assertAlmostEqual(j["point"][0] * j["point"][1], 1)
        self.assertAlmostEqual(j["point"][0] ** 2 - j["point"][1] ** 2, 4 - 0.49, places=9)

    def test_large_network_in_well_under_a_second(self):
        start = time.time()
        r = sde("terms", "--loss", "tanh_network", "--param", "n=64", "--param", "inputs=9", "--param", "width=1000", "--param",
                "teacher_width=10", "--workers", "4", "--alpha", "0.5", "--json")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(len(json.loads(r.stdout)["drift_2"]), 10000)
        if not os.environ.get("SDE_SANITIZE"):  # sanitizers cost a factor of 20
            self.assertLess(time.time() - start, 5)  # about 0.3 s; the margin is for a busy machine

    def test_what_gamma_is_like_comes_first(self):
        r = sde("terms", "--loss", "hyperbola", "--at", "2,0.5")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertTrue(r.stdout.startswith("Gamma there: dimension 1 of 2, Hessian of rank 1, eigenvalue 4.25; residuals vanish\npoint "), r.stdout)
        self.assertNotIn("warning", r.stdout)
        g = json.loads(sde("terms", "--loss", "hyperbola", "--at", "2,0.5", "--json").stdout)["gamma"]
        self.assertEqual((g["dimension"], g["parameters"], g["rank"], g["negative_eigenvalues"]), (1, 2, 1, 0))
        self.assertAlmostEqual(g["smallest_nonzero_eigenvalue"], 4.25)
        self.assertAlmostEqual(g["largest_eigenvalue"], 4.25)
        self.assertEqual((g["squared_loss"], g["residuals_vanish"], g["warnings"]), (True, True, []))
        self.assertEqual((g["around"]["points"], g["around"]["rank"]), (16, [1, 1]))
        low, high = g["around"]["smallest_nonzero_eigenvalue"]  # of x^2 + y^2, to both sides along (2, -1/2)
        self.assertAlmostEqual(high - low, 2 * g["around"]["distance"] * 2 * (4 - 0.25) / 4.25**0.5, delta=1e-3)
        self.assertAlmostEqual(g["around"]["distance"], 0.01 * (1 + 4.25**0.5))

    def test_where_the_theory_does_not_apply(self):
        saddle = ["--loss", "diagonal_network", "--param", "features=2", "--param", "n=4", "--at", "1,0,0.5,0"]  # u2 = v2 = 0 stays
        matrix = ["--loss", "matrix_sensing", "--param", "size=2", "--param", "rank=1", "--param", "true_rank=1"]  # U but for a sign
        degenerate = ["--loss", "matrix_sensing", "--param", "size=3", "--param", "n=12"]  # U U^T is known, of rank 1
        for arguments, line, found in [
            (saddle, r"dimension 1 of 4, Hessian of rank 3, eigenvalues -1\.\d+ to 7\.\d+; residuals up to 1\.\d+ stay: terms through the dense",
             ["the Hessian is indefinite: 1 of its eigenvalues is negative"]),
            (matrix, "dimension 0 of 2, Hessian of rank 2, eigenvalues 4.* to 28.*; residuals vanish", ["the minimum is isolated"]),
            (degenerate, "dimension 4 of 9, Hessian of rank 5", ["no other point of Gamma is found", "close to the 1e-09", "counts as zero"]),
            (["--loss", "tanh_network"], "dimension 15 of 30, Hessian of rank 15", ["close to the 1e-09", "counts as zero"]),
            (["--residual", "x y", "--at", "0,0"], "dimension 2 of 2, Hessian of rank 0; residuals vanish", ["rank changes: it is 0 to 1 at this point"]),
            (["--residual", "x y", "--at", "0.01,0"], "dimension 1 of 2, Hessian of rank 1, eigenvalue 0.0001; res", ["rank changes close by"]),
            (["--formula", "x^2/2 - y^2/4 + y^4/4", "--noise", "none", "--at", "1,0"],
             "dimension 0 of 2, Hessian of rank 2, eigenvalues -0.5 to 1; no squared loss: terms through the dense", ["the Hessian is indefinite"]),
        ]:
            r = sde("terms", *arguments)
            self.assertEqual((r.returncode, r.stderr), (0, ""))
            self.assertRegex(r.stdout, "Gamma there: " + line)
            said = [text[len("warning: "):] for text in r.stdout.splitlines() if text.startswith("warning: ")]
            self.assertEqual(json.loads(sde("terms", *arguments, "--json").stdout)["gamma"]["warnings"], said)
            self.assertEqual(len(said), len(found), said)
            for text, words in zip(said, found):
                self.assertIn(words, text)

    def test_a_small_eigenvalue_is_named_where_the_flow_does_not_end(self):
        for loss in (["--formula", "1/2 (x - 0.1 z^2)^2 + 0.5e-10 (y + 0.2 x^2 - z)^2", "--noise", "none"],
                     ["--residual", "sqrt(2) (x - 0.1 z^2)", "--residual", "sqrt(2e-10) (y + 0.2 x^2 - z)"]):
            r = sde("terms", *loss, "--at", "0.5,0.3,0.8")
            self.assertEqual(r.returncode, 2, r.stderr)
            self.assertRegex(r.stderr, "gradient norm 7.98e-11, expected at most 1.03e-12: the cause is a small eigenvalue of the Hessian, "
                                       "1.9e-10, chiefly along coordinate 2 of 3")

    def test_bad_input(self):
        for arguments, words in [
            (["--loss", "hyperbole"], ["hyperbola"]),
            (["--loss", "hyperbola", "--at", "1"], ["2 coordinates"]),
            (["--loss", "ring", "--param", "b=1"], ["unknown key", "valid: a"]),
            (["--loss", "ring", "--param", "a=2"], ["|a| < 1"]),
            (["--loss", "ring", "--noise", "gaussian", "--cov", "1,0.5,0.2,1"], ["symmetric"]),
            (["--loss", "ring", "--noise", "gaussian", "--cov", "1,2,2,1"], ["semidefinite"]),
            (["--loss", "ring", "--noise", "gaussian", "--cov", "1,0"], ["2 x 2"]),
            (["--loss", "hyperbola", "--workers", "3", "--batch", "4"], ["multiple"]),
            (["--loss", "hyperbola", "--at", "0,0"], ["no point of Gamma"]),
            (["--loss", "hyperbola", "--workers", "0"], ["from 1 to 65535"]),
            (["--loss", "hyperbola", "--batch", "0"], ["from 1 to 1000000000"]),
            (["--loss", "hyperbola", "--at", "1,,0"], ["entry 2", "finite numbers"]),
            (["--loss", "hyperbola", "--sigma2", "nan"], ["finite number"]),
            (["--loss", "chain", "--param", "name=ring"], ["--loss"]),
            (["--loss", "ring", "--noise", "state", "--noise-param", "constant=[1,2,3]"], ["d * rank = 2"]),
        ]:
            r = sde("terms", *arguments)
            self.assertEqual(r.returncode, 2, (arguments, r.stderr))
            for word in words:
                self.assertIn(word, r.stderr, arguments)


class BadExperiments(unittest.TestCase):
    def check(self, text, words, code=2):
        with tempfile.TemporaryDirectory() as out:
            r = sde("run", experiment(text), "--out", out, "--no-figure")
            self.assertEqual(r.returncode, code, r.stderr)
            for word in words:
                self.assertIn(word, r.stderr)
            if code == 2:
                self.assertEqual(os.listdir(out), [])

    def test_each_names_file_line_key_and_expectation(self):
        self.check(VALID.replace("workers", "wrokers"), [".toml:12", "wrokers", "did you mean 'workers'"])
        self.check(VALID.replace('"hyperbola"', '"hyperbla"'), [".toml:7", "did you mean 'hyperbola'"])
        self.check(VALID.replace("eta = 0.02", 'eta = "fast"'), [".toml:11", "eta", "number"])
        self.check(VALID.replace("eta = 0.02", "eta = 0.0"), [".toml:11", "above 0"])
        self.check(VALID.replace("eta = 0.02", "eta = -1"), ["above 0"])
        self.check(VALID.replace("workers = 2", "workers = 0"), [".toml:12", "from 1 to"])
        self.check(VALID.replace("H = 5", "H = 0"), [".toml:16", "from 1 to"])
        self.check(VALID.replace("H = 5", ""), ["H: missing"])
        self.check(VALID.replace("batch = 4", "batch = 3"), [".toml:13", "multiple of workers"])
        self.check(VALID.replace('kind = "local_sgd"', 'kind = "local_sdg"'), [".toml:15", "did you mean 'local_sgd'"])
        self.check(VALID + "[start]\nat = [0, 0]\n", ["start.at", "no point of Gamma"])
        self.check(VALID + "[start]\nat = [1, 1, 1]\n", ["expected 2 coordinates"])
        self.check(VALID.replace("paths = 8", "paths = 2.5"), [".toml:3", "whole number"])
        self.check(VALID.replace("observations = 2", 'observations = 2\nobserve = ["x3"]'), ["x1 to x2"])
        self.check(VALID.replace("[loss]", "[loss"), ["not valid TOML", ":6"])
        self.check(VALID.replace("observations = 2", 'observations = 2\nobserve = ["x1", "x1"]'), ["listed twice"])
        self.check(VALID.replace("observations = 2", "observations = 2\nmax_lost = 2"), ["from 0 to 1"])
        self.check(VALID.replace("eta = 0.02", "eta = 1e-12"), [".toml:11", "steps", "larger eta"])
        self.check(VALID.replace("eta = 0.02", "eta = 0.02\nfloor = 2"), ["floor", "from 0 to 1"])
        array = VALID.replace("[noise]", "[[noise]]")
        network = array.replace('"hyperbola"', '"diagonal_network"')
        self.check(network + '[[noise]]\nkind = "minibatch"\nsampling = "full"\n', ["contradicts", "share their samples"])
        state = '[[noise]]\nkind = "state"\nconstant = [0.1, 0.2]\n'
        self.check(array + state + state, ["a second state noise"])
        self.check(VALID + "[surprise]\n", ["surprise", "unknown key"])
        for parameters, words in [('"ring"\na = 2', [".toml:8: loss.a", "expected |a| < 1", "got 2"]),
                                  ('"flat"\nn = 5', [".toml:8: loss.n", "fewer equations than unknowns (n < d = 4), got 5"]),
                                  ('"chain"\ndepth = 1', [".toml:8: loss.depth", "a whole number from 2 to 1000, got 1"]),
                                  ('"valley"\nprofile = "exponentail"', [".toml:8: loss.profile", "did you mean 'exponential'"]),
                                  ('"diagonal_network"\nstart_scale = 0', [".toml:8: loss.start_scale", "above 0"]),
                                  ('"chain"\ndeph = 3', [".toml:8: loss.deph", "did you mean 'depth'"])]:
            self.check(VALID.replace('"hyperbola"', parameters), words)
        gaussian = VALID.replace('kind = "label"', 'kind = "gaussian"\ncovariance = [1, 0.5, 0.2, 1]')
        self.check(gaussian, ["covariance", "symmetric"])
        self.check(VALID.replace("local_sgd", "slow_ode_local_sgd").replace('"label"', '"gaussian"'), ["diffuses along Gamma"])

    def test_the_keys_of_methods_in_the_docs_are_those_of_the_program(self):
        with open("docs/experiments.md") as f:
            self.assertIn(sde("list", "--markdown").stdout.strip(), f.read())

    def test_standard_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            r = subprocess.run([SDE, "list"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(r.returncode, 4)
        self.assertIn("standard output", r.stderr)

    def test_a_folder_is_not_an_experiment(self):
        r = sde("run", "experiments")
        self.assertEqual(r.returncode, 2)
        self.assertIn("is a folder", r.stderr)

    def test_missing_file(self):
        r = sde("run", "no/such.toml")
        self.assertEqual(r.returncode, 2)
        self.assertIn("no/such.toml", r.stderr)

    def test_output_folder_that_cannot_be_made(self):
        with tempfile.NamedTemporaryFile() as f:
            r = sde("run", MAIN, *SMALL, "--out", f.name + "/below")
            self.assertEqual(r.returncode, 4, r.stderr)
            self.assertIn("--out", r.stderr)

    def test_full_disk(self):
        with tempfile.TemporaryDirectory() as out:
            limit = "ulimit -f 8; exec \"$0\" \"$@\""  # files may not pass 4 KiB: what a full disk does, without one
            r = subprocess.run(["bash", "-c", "trap '' XFSZ; " + limit, SDE, "run", MAIN, *SMALL, "--out", out, "--no-figure"],
                               capture_output=True, text=True)
            self.assertEqual(r.returncode, 4, r.stderr)
            self.assertEqual(os.listdir(out), [])

    def test_divergence_is_reported_and_exits_3(self):
        wild = VALID.replace('kind = "label"', 'kind = "gaussian"\nvariance = 9').replace("eta = 0.02", "eta = 0.4").replace("time = 0.1", "time = 8")
        with tempfile.TemporaryDirectory() as out:
            r = sde("run", experiment(wild), "--out", out, "--no-figure")
            self.assertEqual(r.returncode, 3, r.stderr)
            for word in ("paths lost", "path ", "step ", "max_lost"):
                self.assertIn(word, r.stderr)


class Run(unittest.TestCase):
    def test_same_bits_for_any_number_of_threads(self):
        with tempfile.TemporaryDirectory() as out:
            text = [sde("run", MAIN, *SMALL, "--set", "experiment.paths=150", "--out", out, "--no-figure", "--json", "--threads", t).stdout for t in "13"]
            self.assertEqual(text[0], text[1])
            self.assertEqual(len(json.loads(text[0])["methods"]), 10)

    def test_same_bits_for_every_instruction_set(self):
        small = ["--set", "experiment.paths=36", "--set", "experiment.time=0.05", "--set", "experiment.observations=2"]
        runs = [["run", MAIN, *SMALL], *([["run", f"experiments/{name}.toml", *small, *more] for name, more in (
                    ("ring", []), ("ring", ["--set", "training.precision=float"]), ("valley", ["--set", "loss.profile=exponential"]),
                    ("sphere", []), ("chain", []), ("diagonal_network", []))]),
                ["terms", "--loss", "ring", "--at", "0.6,0.8", "--noise", "gaussian", "--cov", "1,0.3,0.3,0.5", "--alpha", "0.2"],
                ["terms", "--loss", "tanh_network", "--noise", "label"]]
        texts = {}
        with tempfile.TemporaryDirectory() as out:
            for level in ("x86-64", "x86-64-v3", "x86-64-v4"):
                parts = []
                for arguments in runs:
                    to = ["--out", out, "--no-figure"] if arguments[0] == "run" else []
                    r = sde(*arguments, *to, "--json", env={"SDE_KERNELS": level})
                    parts.append(r.stdout)
                    if r.returncode:
                        break
                if r.returncode == 2 and ("does not run it" in r.stderr or "expected one of" in r.stderr):
                    continue  # this processor, or this build, has it not
                self.assertEqual(r.returncode, 0, f"{arguments}: {r.stderr}")
                texts[level] = parts
        if len(texts) < 2:
            self.skipTest(f"fewer than two instruction sets here: {sorted(texts)}")
        first = next(iter(texts.values()))
        for level, parts in texts.items():
            for arguments, one, other in zip(runs, first, parts):
                self.assertEqual(one, other, f"{level}: {arguments}")

    def test_unknown_instruction_set(self):
        r = sde("run", MAIN, *SMALL, "--no-figure", env={"SDE_KERNELS": "x86-64-v9"})
        self.assertEqual(r.returncode, 2)
        self.assertIn("expected one of", r.stderr)

    def test_single_precision_of_a_run(self):
        with tempfile.TemporaryDirectory() as folder:
            rows = []
            for precision in ("double", "float"):
                r = sde("run", MAIN, *SMALL, "--set", f"training.precision={precision}", "--out",
                        os.path.join(folder, precision), "--no-figure", "--json")
                self.assertEqual(r.returncode, 0, r.stderr)
                rows.append(r.stdout)
            self.assertNotEqual(rows[0].replace("double", ""), rows[1].replace("float", ""))
        r = sde("run", MAIN, "--set", "training.precision=half", "--no-figure")
        self.assertEqual(r.returncode, 2)
        self.assertIn("precision", r.stderr)

    def test_seed_changes_the_paths(self):
        with tempfile.TemporaryDirectory() as out:
            a, b = (json.loads(sde("run", MAIN, *SMALL, "--out", out, "--no-figure", "--json", "--seed", s).stdout) for s in "12")
            self.assertNotEqual(a["methods"][0]["final"]["loss"], b["methods"][0]["final"]["loss"])

    def test_progress_bar_on_a_terminal_only(self):
        with tempfile.TemporaryDirectory() as out:
            command = [SDE, "run", MAIN, *SMALL, "--out", out, "--no-figure"]
            self.assertEqual(subprocess.run(command, capture_output=True, text=True).stderr, "")
            for extra, env, bar, escape in [([], {"NO_COLOR": ""}, True, True), ([], {"NO_COLOR": "1"}, True, False), (["--quiet"], {}, False, False)]:
                master, slave = pty.openpty()
                subprocess.run(command + extra, stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, **env})
                os.close(slave)
                shown = b""
                try:
                    while chunk := os.read(master, 4096):
                        shown += chunk
                except OSError:
                    pass
                os.close(master)
                self.assertEqual(b"%" in shown, bar)
                self.assertEqual(b"\x1b[32m" in shown, escape)

    def test_interrupt_and_resume_give_the_same_bits(self):
        command = [SDE, "run", MAIN, "--set", "experiment.paths=3200", "--set", "training.eta=0.01", "--set", "experiment.time=4",
                   "--set", "method.6.H=50", "--set", "method.7.H=50", "--no-figure", "--json", "--threads", "2"]
        with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as other:
            started = time.monotonic()
            whole = json.loads(subprocess.run([*command, "--out", other], capture_output=True, text=True, check=True).stdout)
            took = time.monotonic() - started
            interruptions = 0
            resume = []
            while True:
                child = subprocess.Popen([*command, "--out", out, *resume], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    text, err = child.communicate(timeout=0.3 * took)  # within the run, on a machine of any speed
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGINT if interruptions % 2 else signal.SIGTERM)
                    text, err = child.communicate(timeout=60)
                if child.returncode == 0:
                    break
                self.assertEqual(child.returncode, 130, err)
                self.assertIn("--resume", err)
                self.assertEqual(sorted(os.listdir(out)), ["main.checkpoint", "main.checkpoint.previous"][:1 + bool(resume)])
                interruptions += 1
                resume = ["--resume"]
            self.assertGreater(interruptions, 0)
            self.assertEqual(json.loads(text)["methods"], whole["methods"])
            self.assertEqual(os.listdir(out), ["main.nc"])

    def test_interrupt_inside_a_long_interval(self):
        long = VALID.replace("eta = 0.02", "eta = 0.0003").replace("observations = 2", "observations = 1")
        with tempfile.TemporaryDirectory() as out:
            p = subprocess.Popen([SDE, "run", experiment(long), "--out", out, "--no-figure", "--set", "experiment.time=1000"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(1)
            p.send_signal(signal.SIGINT)
            start = time.time()
            p.communicate(timeout=120)
            self.assertEqual(p.returncode, 130)
            if not os.environ.get("SDE_SANITIZE"):
                self.assertLess(time.time() - start, 5)

    def test_resume_refuses_what_is_not_its_checkpoint(self):
        with tempfile.TemporaryDirectory() as out:
            command = [SDE, "run", MAIN, "--set", "experiment.paths=100000", "--out", out]
            r = subprocess.run([*command, "--resume"], capture_output=True, text=True)
            self.assertEqual((r.returncode, "no checkpoint" in r.stderr), (2, True), r.stderr)
            child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            time.sleep(0.5)
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=60)
            r = subprocess.run([*command, "--resume", "--seed", "7"], capture_output=True, text=True)
            self.assertEqual((r.returncode, "another seed" in r.stderr), (2, True), r.stderr)
            file = os.path.join(out, "main.checkpoint")
            with open(file, "r+b") as f:
                f.truncate(os.path.getsize(file) // 2)
            r = subprocess.run([*command, "--resume"], capture_output=True, text=True)
            self.assertEqual((r.returncode, "not a complete checkpoint" in r.stderr), (2, True), r.stderr)

    def test_list_describes_every_loss_with_its_parameters(self):
        lines = [" ".join(line.split()) for line in sde("list").stdout.splitlines()]
        for line in ("ring 1/2 (1 + a x)(x^2 + y^2 - 1)^2",
                     "depth = 3 D, the number of factors (a whole number from 2 to 1000)",
                     "profile = quadratic of the sharpness: h = 1 + u^2, or h = exp(c u) (quadratic | exponential)",
                     "start_scale = 0.5 every entry of the start (a number above 0)"):
            self.assertIn(line, lines)

    def test_help_has_examples_everywhere(self):
        for sub in ([], ["run"], ["terms"], ["list"], ["plot"], ["info"]):
            r = sde(*sub, "--help")
            self.assertEqual(r.returncode, 0)
            self.assertIn("Example", r.stdout)
        self.assertRegex(sde("--version").stdout, r"^sde \d")
        self.assertEqual(sde("frobnicate").returncode, 2)
        self.assertIn("ring", sde("list").stdout)
        self.assertIn("CUDA", sde("info").stdout)

    def test_every_experiment_file_is_valid(self):
        for name in sorted(f for f in os.listdir("experiments") if f.endswith(".toml")):
            with tempfile.TemporaryDirectory() as out:
                r = sde("run", "experiments/" + name, "--out", out, "--no-figure", "--set", "experiment.paths=2", "--set", "experiment.observations=2")
                self.assertEqual(r.returncode, 0, (name, r.stderr))


if __name__ == "__main__":
    unittest.main()
