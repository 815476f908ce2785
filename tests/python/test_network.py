"""Runs of networks, from outside. Usage: test_network.py SDE_BINARY"""

import gzip
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SDE = os.path.abspath(sys.argv.pop(1))
DIGITS = """
[experiment]
paths = {paths}
time = 0.5
observations = 2
[loss]
name = "perceptron"
widths = [6]
samples = 200
probes = 4
[noise]
kind = "label"
probability = 0.1
[training]
eta = 0.1
workers = 4
batch = 8
H = 5
[[method]]
kind = "sgd"
[[method]]
kind = "local_sgd"
[[method]]
kind = "post_local_sgd"
switch = 0.5
[[method]]
kind = "qsr"
beta = 0.2
"""


def sde(*arguments, env=None):
    return subprocess.run([SDE, *arguments], capture_output=True, text=True, env={**os.environ, **(env or {})})


class Network(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, text, name="own.toml"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def run_json(self, text, *more, env=None):
        r = sde("run", self.file(text), "--out", os.path.join(self.folder.name, "out"), "--no-figure", "--json", *more, env=env)
        self.assertEqual(r.returncode, 0, r.stderr)
        return json.loads(r.stdout)

    def refused(self, text, *more, command="run"):
        r = sde(command, self.file(text), "--out", os.path.join(self.folder.name, "out"), *more)
        self.assertEqual(r.returncode, 2, r.stdout + r.stderr)
        return r.stderr.replace(self.folder.name + "/", "")

    def test_list_has_its_keys(self):
        shown = sde("list").stdout
        for words in ("perceptron", "activation = tanh", "relu | softplus | gelu", "[] for none (default: [32])", "data = digits", "probability"):
            self.assertIn(words, shown)

    def test_all_algorithms_learn_the_digits_and_are_observed(self):
        j = self.run_json(DIGITS.format(paths=8), "--set", "experiment.time=10")
        self.assertIsNone(j["gamma"])
        for m in j["methods"]:
            final = m["final"]
            self.assertEqual(set(final), {"loss", "train_error", "test_loss", "test_error", "test_accuracy", "trace_hessian",
                                           "trace_hessian_error", "lambda_max", "disagreement"})
            self.assertLess(final["test_error"]["mean"], 0.5)  # of a guess 0.9
            self.assertLess(final["train_error"]["mean"], final["test_error"]["mean"])
            self.assertAlmostEqual(final["test_accuracy"]["mean"], 1 - final["test_error"]["mean"])
            self.assertGreater(final["test_error"]["standard_error"], 0)
            self.assertEqual(final["disagreement"]["mean"] > 0, m["kind"] != "sgd")
            self.assertEqual(m["lost"], 0)

    def test_momenta_and_weight_decay(self):
        """Without momentum each algorithm is SGD or Local SGD, to rounding; with it every one learns, and decay makes parameters small."""
        kinds = DIGITS.split("[[method]]")[0] + "".join("[[method]]\n" + m + "\n" for m in (
            'kind = "sgd"', 'kind = "heavy_ball"\nmomentum = {beta}', 'kind = "nesterov"\nmomentum = {beta}', 'kind = "local_sgd"',
            'kind = "local_momentum"\nmomentum = {beta}', 'kind = "local_momentum"\nmomenta = "reset"\nmomentum = {beta}',
            'kind = "diloco"\ngamma = {gamma}\nmu = {beta}'))
        j = self.run_json(kinds.format(paths=8, beta=0, gamma=1), "--set", "loss.weight_decay=0.01")
        finals = [{k: v["mean"] for k, v in m["final"].items()} for m in j["methods"]]
        for same, of in ((1, 0), (2, 0), (4, 3), (5, 3), (6, 3)):
            for key in ("loss", "test_loss", "test_error", "trace_hessian"):
                self.assertAlmostEqual(finals[same][key], finals[of][key], delta=1e-9 * abs(finals[of][key]), msg=(j["methods"][same]["name"], key))
        self.assertNotAlmostEqual(finals[0]["loss"], finals[3]["loss"], delta=1e-4)
        with_momenta = ("--set", "experiment.time=10", "--set", "training.eta=0.03")
        plain = self.run_json(kinds.format(paths=8, beta=0.7, gamma=0.7), *with_momenta)
        for m in plain["methods"]:
            self.assertLess(m["final"]["test_error"]["mean"], 0.5, m["name"])
            self.assertEqual(m["lost"], 0)
        # The loss without its decay: cross entropy on the training set; a strong decay keeps it near log 10.
        decayed = self.run_json(kinds.format(paths=8, beta=0.7, gamma=0.7), *with_momenta, "--set", "loss.weight_decay=1")
        for m, weak in zip(decayed["methods"], plain["methods"]):
            self.assertAlmostEqual(m["final"]["test_loss"]["mean"], math.log(10), delta=0.05, msg=m["name"])
            self.assertGreater(m["final"]["test_loss"]["mean"], weak["final"]["test_loss"]["mean"] + 0.2, m["name"])

    def test_the_same_bits_for_threads_instruction_sets_and_numbers_of_paths(self):
        text = DIGITS.format(paths=40)
        for precision in ("double", "float"):
            one, two = (self.run_json(text, "--set", f"training.precision={precision}", "--threads", n) for n in ("1", "3"))
            self.assertEqual(one["methods"], two["methods"])
        levels = 0
        for level in ("x86-64", "x86-64-v3", "x86-64-v4"):
            r = sde("run", self.file(text), "--out", os.path.join(self.folder.name, level), "--no-figure", "--json", env={"SDE_KERNELS": level})
            if r.returncode == 2:
                continue
            levels += 1
            self.assertEqual(json.loads(r.stdout)["methods"], self.run_json(text)["methods"], level)
        self.assertGreater(levels, 0)

    def test_single_paths_do_not_depend_on_how_many_there_are(self):
        import netCDF4

        values = []
        for paths in (5, 37):
            self.run_json(DIGITS.format(paths=paths), "--set", "experiment.save_paths=5")
            with netCDF4.Dataset(os.path.join(self.folder.name, "out", "own.nc")) as data:
                self.assertIn("perceptron 64-6-10, tanh, cross_entropy, 460 parameters; 200 samples, 773 test samples", data.network)
                self.assertNotIn("gamma", data.ncattrs())
                self.assertNotIn("drift_1", data.variables)
                values.append([data[name][...].tolist() for name in ("loss_paths", "test_error_paths", "trace_hessian_paths")])
        self.assertEqual(*values)

    def test_interrupted_and_resumed(self):
        text = DIGITS.format(paths=64)
        more = ["--set", "experiment.time=6", "--set", "experiment.observations=30"]
        whole = self.run_json(text, *more)
        out = os.path.join(self.folder.name, "again")
        command = [SDE, "run", self.file(text), "--out", out, "--no-figure", "--json", "--checkpoint-every", "0.1", *more]
        for _ in range(3):
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 60
            while child.poll() is None and not os.path.exists(os.path.join(out, "own.checkpoint")) and time.monotonic() < deadline:
                time.sleep(0.01)
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=60)
            if child.returncode == 130 and "--resume" not in command:
                command.append("--resume")
        r = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(json.loads(r.stdout)["methods"], whole["methods"])

    def test_sweep(self):
        j = self.run_json(DIGITS.format(paths=4), "--sweep", "loss.init_seed=1,2", "--sweep", "training.H=2,5")
        self.assertEqual(len(j["cells"]), 4)

    def test_figure(self):
        out = os.path.join(self.folder.name, "out")
        r = sde("run", self.file(DIGITS.format(paths=4)), "--out", out)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertGreater(os.path.getsize(os.path.join(out, "own.png")), 20_000)
        self.assertIn("64-6-10", r.stdout)

    def test_what_does_not_apply_is_refused_by_name(self):
        text = DIGITS.format(paths=4)
        for kind, words in (("slow_sgd", "follows a slow SDE, which needs Phi, and a network has none here"),
                            ("slow_ode_local_sgd", "follows a slow SDE"), ("conventional_sgd", "a network has no conventional SDE here")):
            self.assertIn(words, self.refused(text + f"[[method]]\nkind = '{kind}'\n"))
        for setting, words in (
            ("experiment.observe=['x1']", "experiment.observe: polynomials are of Phi(theta)"),
            ("experiment.components=2", "expected a whole number from 0 to 0"),
            ("noise.kind='gaussian'", "noise.kind: 'gaussian': a network's noise is of its samples and labels: expected minibatch or label"),
            ("noise.probability=1.5", "noise.probability: expected a number from 0 to 1, got 1.5"),
            ("noise.sampling='full'", "noise.sampling: labels are redrawn of samples that are drawn"),
            ("loss.widths=[0]", "loss.widths: expected whole numbers from 1 to 100000, got 0"),
            ("loss.widths=[100000, 100000]", "loss.widths: "),
            ("loss.activation='sigmoid'", "loss.activation: 'sigmoid' is not known"),
            ("loss.samples=1025", "loss.samples: expected at most the 1024 of the training set, got 1025"),
            ("loss.train=1797", "loss.train: expected fewer than the 1797 samples that there are, got 1797"),
            ("loss.samples=5", "expected a class of the training set, 0 to 4, got 9"),
            ("loss.lables='x'", "loss.lables: unknown key (did you mean 'labels'?"),
            ("loss.data='none.csv'", "loss.data: "),
        ):
            said = self.refused(text, "--set", setting)
            self.assertIn(words, said, setting)
        r = sde("verify", self.file(text))
        self.assertEqual(r.returncode, 2)
        self.assertIn("a network has no Phi here, and no slow SDE to be held against", r.stderr)
        r = sde("terms", "--loss", "perceptron")
        self.assertEqual(r.returncode, 2)

    def write_idx(self, name, sizes, numbers):
        data = struct.pack(">HBB", 0, 8, len(sizes)) + b"".join(struct.pack(">I", s) for s in sizes) + bytes(numbers)
        with gzip.open(os.path.join(self.folder.name, name), "wb") as f:
            f.write(data)

    def test_data_of_ones_own_beside_the_experiment_file(self):
        random.seed(1)
        images = [[random.randrange(256) for _ in range(4)] for _ in range(60)]
        labels = [int(image[0] + image[1] > 255) for image in images]
        flat = [v for image in images for v in image]
        self.write_idx("train-images-idx3-ubyte.gz", [40, 2, 2], flat[:160])
        self.write_idx("train-labels-idx1-ubyte.gz", [40], labels[:40])
        self.write_idx("t10k-images-idx3-ubyte.gz", [20, 2, 2], flat[160:])
        self.write_idx("t10k-labels-idx1-ubyte.gz", [20], labels[40:])
        own = """data = "train-images-idx3-ubyte.gz"
labels = "train-labels-idx1-ubyte.gz"
test_data = "t10k-images-idx3-ubyte.gz"
test_labels = "t10k-labels-idx1-ubyte.gz"
"""
        idx = self.run_json(DIGITS.format(paths=4).replace("samples = 200\n", own))
        with open(os.path.join(self.folder.name, "both.csv"), "w") as f:
            f.writelines(",".join(map(str, [*image, label])) + "\n" for image, label in zip(images, labels))
        csv = self.run_json(DIGITS.format(paths=4).replace("samples = 200\n", "data = 'both.csv'\ntrain = 40\n"))
        self.assertEqual(idx["methods"], csv["methods"])
        self.write_idx("t10k-images-idx3-ubyte.gz", [20, 2, 2], flat[:80])  # the training set's
        self.assertIn("loss.test_data: t10k-images-idx3-ubyte.gz: row 1: this test input is that of train-images-idx3-ubyte.gz: row 1",
                      self.refused(DIGITS.format(paths=4).replace("samples = 200\n", own)))


if __name__ == "__main__":
    unittest.main()
