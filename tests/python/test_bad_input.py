"""Tables of bad input, each with what its message must say; keys that have no effect; suggestions of names.
Usage: test_bad_input.py SDE_BINARY"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SDE = sys.argv.pop(1)

# Line 12 is eta, 13 H, 17 beta of the fourth method.
FILE = """
[experiment]
paths = 8
time = 0.1
observations = 2
[loss]
name = "hyperbola"
[noise]
kind = "label"
[training]
workers = 2
eta = 0.02
H = 5
[[method]]
kind = "sgd"
[[method]]
kind = "local_sgd"
[[method]]
kind = "slow_ode_local_sgd"
"""
QSR = '[[method]]\nkind = "qsr"\nbeta = 0.2\n'
SLOW = '[[method]]\nkind = "slow_local_sgd"\n'


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")

    def sde(self, *arguments):
        return subprocess.run([SDE, *arguments], capture_output=True, text=True)

    def write(self, text, name="mine.toml"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_file(self, text, *arguments):
        return self.sde("run", self.write(text), "--no-figure", "--quiet", "--out", self.out, *arguments)

    def refused(self, r, *words, without=()):
        written = os.path.exists(self.out)
        shutil.rmtree(self.out, ignore_errors=True)
        self.assertEqual(r.returncode, 2, r.stderr)
        for word in words:
            self.assertIn(word, r.stderr)
        for word in without:
            self.assertNotIn(word, r.stderr)
        self.assertFalse(written, "something was written")


class Experiments(Case):
    """--set of one key: the place and key that are to blame, and what was expected."""

    LINE = "command line: "
    TABLE = [
        # numbers
        ("experiment.paths=1e18", LINE + "experiment.paths: expected a whole number from 1 to 4000000000, got 1e+18"),
        ("experiment.paths=9007199254740993", "from 1 to 4000000000, got 9007199254740993"),
        ("experiment.paths=99999999999999999999", "from 1 to 4000000000, got '99999999999999999999' (text)"),
        ("experiment.paths=0", "from 1 to 4000000000, got 0"),
        ("experiment.paths=1.5", "from 1 to 4000000000, got 1.5"),
        ("experiment.paths=nan", "from 1 to 4000000000, got nan"),
        ("experiment.paths=many", "from 1 to 4000000000, got 'many' (text)"),
        ("experiment.paths=true", "from 1 to 4000000000, got true"),
        ("experiment.observations=1e18", "experiment.observations: expected a whole number from 1 to 100000"),
        ("experiment.seed=-1", "experiment.seed: expected a whole number from 0 to 9223372036854775807, got -1"),
        ("experiment.seed=1e19", "experiment.seed: expected a whole number from 0 to 9223372036854775807, got 1e+19"),
        ("experiment.components=3", "experiment.components: expected a whole number from 0 to 2, got 3"),
        ("experiment.max_lost=-0.1", "experiment.max_lost: expected a number from 0 to 1, got -0.1"),
        ("experiment.time=0", "experiment.time: expected a number above 0, got 0"),
        ("experiment.time=1e300", LINE + "experiment.time: expected at most 2e+10"),
        ("experiment.time=inf", "experiment.time: expected a finite number, got inf"),
        ("experiment.time=1e-300", "mine.toml:12: training.eta: one step lasts 0.0004 of slow time, longer than the whole run (experiment.time = 1e-300)"),
        ("training.eta=1e300", LINE + "training.eta: one step lasts inf of slow time, longer than the whole run (experiment.time = 0.1): expected at most 0.316"),
        ("training.eta=0.4", LINE + "training.eta: one step lasts 0.16 of slow time"),
        ("training.eta=1e-300", LINE + "training.eta: 1e-300: slow time 0.1 takes at least inf steps"),
        ("training.eta=", LINE + "training.eta: expected a finite number, got '' (text)"),
        ("training.H=1000", LINE + "training.H: one round lasts H eta^2 = 0.4 of slow time (H = 1000), longer than the whole run"),
        ("training.H=1e18", "training.H: expected a whole number from 1 to 1000000000"),
        ("method.3.beta=1e300", LINE + "method.3.beta: one round lasts"),
        ("training.workers=1e18", "training.workers: expected a whole number from 1 to 65535, got 1e+18"),
        ("training.batch=1e18", "training.batch: expected a whole number from 1 to 1000000000, got 1e+18"),
        ("training.batch=3", LINE + "training.batch: expected a multiple of workers = 2"),
        ("training.floor=2", "training.floor: expected a number from 0 to 1, got 2"),
        ("training.factor=0", "training.factor: expected a number above 0, got 0"),
        ("method.4.dt=1e-30", LINE + "method.4.dt: 1e-30: 1e+29 steps, more than the 2e+10 that are allowed: expected at least 5e-12"),
        ("noise.sigma2=-1", "noise.sigma2: expected a number of at least 0, got -1"),
        ("verify.margin=0", "verify.margin: expected a number above 0, got 0"),
        # lists
        ("start.at=[1,2,3]", LINE + "start.at: expected 2 coordinates, got 3"),
        ("start.at=1", LINE + "start.at: expected an array of numbers, got 1"),
        ("start.at=[1,nan]", LINE + "start.at: expected an array of finite numbers, entry 2 is nan"),
        ("start.at=[1e200,1e200]", LINE + "start.at: no point of Gamma belongs to this start"),
        ("training.milestones=[0.5,2]", "training.milestones: expected numbers from 0 to 1, got 2"),
        ("training.milestones=0.5", "training.milestones: expected an array of numbers, got 0.5"),
        ("experiment.observe=x1", LINE + "experiment.observe: expected an array of texts, got 'x1' (text)"),
        ('experiment.observe=["x1", 2]', "experiment.observe: expected an array of texts, entry 2 is 2"),
        ('experiment.observe=["x9"]', "experiment.observe: "),
        # names
        ("loss.name=mnist", LINE + "loss.name: 'mnist' is not known (valid: "),
        ("loss.name=Hyperbola", "did you mean 'hyperbola'?"),
        ("loss.name=", "loss.name: missing: expected one of"),
        ("noise.kind=lable", LINE + "noise.kind: 'lable' is not known (did you mean 'label'?"),
        ("noise.sigma=2", LINE + "noise.sigma: unknown key (did you mean 'sigma2'?"),
        ("method.1.kind=adamw", LINE + "method.1.kind: 'adamw' is not known (valid: "),
        ("training.schedule=cosin", "training.schedule: 'cosin' is not known (did you mean 'cosine'?"),
        ("trianing.eta=0.1", LINE + "trianing: unknown key (did you mean 'training'?"),
        ("training.h=5", LINE + "training.h: unknown key (did you mean 'H'?"),
        ("verify.margins.drfit=0.1", LINE + "verify.margins.drfit: unknown key (did you mean 'drift'?"),
        ("method.1.name=SGD", LINE + "method.1.name: 'SGD' names two methods"),
        # keys of --set
        ("training.eta", "--set training.eta: expected key=value"),
        ("=3", "--set =3: expected key=value"),
        ("training.=3", "--set training.=3: a part of the key 'training.' is empty"),
        ("training..eta=3", "a part of the key 'training..eta' is empty"),
        ("training.eta=0.02\nx = 3", LINE + "training.eta: expected a finite number, got '''0.02"),
        ("training=3", LINE + "training: expected a table, got 3"),
        ("method=3", LINE + "method: expected tables [[method]], got 3"),
        ("method.*.H=0", LINE + "method.1.H: expected a whole number from 1 to 1000000000, got 0"),
        ("method.9.H=3", "--set method.9.H=3: expected method.0 to method.4, counted from 0, or method.* for all, got method.9"),
        ("method.-1.H=3", "expected method.0 to method.4, counted from 0, or method.* for all, got method.-1"),
        ("method.H=3", "--set method.H=3: method is not a table: expected method.0.KEY=value, counted from 0"),
        ("training.eta.x=3", "--set training.eta.x=3: training.eta is not a table: expected training.eta=value"),
    ]

    def test_each_message(self):
        for assignment, words in self.TABLE:
            with self.subTest(assignment):
                self.refused(self.run_file(FILE + QSR + SLOW, "--set", assignment), words)

    def test_files_are_blamed(self):
        for text, words in [("", "mine.toml: has no keys; expected an experiment file"),
                            ("# nothing\n", "mine.toml: has no keys"),
                            ("title = 'x'\n", "mine.toml: loss.name: missing: expected one of"),
                            ('[loss]\nname = "ring"\n', "mine.toml: method: missing: expected at least one [[method]]"),
                            ("[loss]\na = 0.5\n", "mine.toml:1: loss.name: missing"),
                            ("not toml", "mine.toml:1: not valid TOML"),
                            (FILE.replace("eta = 0.02", "eta = 0.02\neta = 0.03"), "mine.toml:13: not valid TOML"),
                            ("seed = 99999999999999999999\n", "mine.toml:1: not valid TOML")]:
            for command in (["run", "--no-figure"], ["verify"]):
                with self.subTest(text=text[-20:], command=command):
                    r = self.sde(*command, self.write(text), "--out", self.out)
                    self.refused(r, words, without=["command line"])
        for file, words in [("/dev/null", "/dev/null: has no keys"), (self.folder.name, "is a folder"),
                            ("no/such.toml", "no/such.toml: cannot be read")]:
            for command in ("run", "verify"):
                with self.subTest(file=file, command=command):
                    self.refused(self.sde(command, file, "--out", self.out), words)
        self.refused(self.sde("run", "", "--out", self.out), "'': cannot be read")
        # A key of the command line that needs another: the file lacks it.
        self.refused(self.sde("run", self.write('[[method]]\nkind = "sgd"\n'), "--set", "loss.a=0.5", "--out", self.out),
                     "mine.toml: loss.name: missing")

    def test_two_ways_to_give_one_noise(self):
        for keys, words in [('variance = 1\nvariances = [1, 1]', "noise.variance: there is variances already"),
                            ('variances = [1, 1]\ncovariance = [1, 0, 0, 1]', "noise.variances: there is covariance already")]:
            self.refused(self.run_file(FILE.replace('"label"', '"gaussian"\n' + keys)), words)


class CommandLine(Case):
    TABLE = [
        (["rnu", "x.toml"], "unknown subcommand 'rnu' (did you mean 'run'? valid: run, verify, terms, bench, list, plot, info)"),
        (["frobnicate"], "unknown subcommand 'frobnicate' (valid: run,"),
        (["experiments/ring.toml"], "'experiments/ring.toml' is not a subcommand: expected e.g. sde run experiments/ring.toml"),
        ([""], "unknown subcommand ''"),
        (["run", "x.toml", "--sead", "3"], "sde run: unknown option --sead (did you mean '--seed'? valid: "),
        (["run", "x.toml", "--thread=3"], "sde run: unknown option --thread=3 (did you mean '--threads'?"),
        (["verify", "--losses", "ring"], "sde verify: unknown option --losses (did you mean '--loss'?"),
        (["run", "x.toml", "y.toml"], "sde run: 'y.toml' not expected: sde run --help says what is"),
        (["run", "x.toml", "--threads", "abc"], "--threads: expected a whole number from 1 to 4096, got 'abc'"),
        (["run", "x.toml", "--threads", "0"], "--threads: expected a whole number from 1 to 4096, got '0'"),
        (["run", "x.toml", "--threads", "99999999999999999999"], "--threads: expected a whole number from 1 to 4096"),
        (["run", "x.toml", "--seed", "-1"], "--seed: expected a whole number from 0 to 9223372036854775807, got '-1'"),
        (["run", "x.toml", "--seed", "1e3"], "--seed: expected a whole number from 0 to 9223372036854775807, got '1e3'"),
        (["verify", "2", "--threads", "1.5"], "--threads: expected a whole number from 1 to 4096, got '1.5'"),
        (["verify", "2", "--seed", "x"], "--seed: expected a whole number from 0"),
        (["verify", "2", "--budget", "inf"], "--budget inf: expected quick, full, or a number of seconds above 0"),
        (["verify", "2", "--budget", "1e300"], "--budget 1e300: expected quick, full, or a number of seconds above 0"),
        (["verify", "2", "--budget", "quikc"], "--budget quikc: expected quick, full, or a number of seconds above 0"),
        (["verify", "2", "--loss", "rnig"], "--loss rnig: is not known (did you mean 'ring'?"),
        (["verify", "77"], "there is no claim 77 here; the claims are 1, 2"),
        (["verify", "drift"], "drift: cannot be read (expected an experiment file"),
        (["bench", "--seconds", "0"], "--seconds: expected a finite number above 0, got '0'"),
        (["bench", "--seconds", "inf"], "--seconds: expected a finite number above 0, got 'inf'"),
        (["bench", "--threads", "-3"], "--threads: expected a whole number from 1 to 4096, got '-3'"),
        (["terms", "--loss", "mnist"], "loss.name: 'mnist' is not known (valid: "),
        (["terms", "--loss", "ring", "--workers", "1e18"], "--workers: expected a whole number from 1 to 65535, got '1e18'"),
        (["terms", "--loss", "ring", "--batch", "x"], "--batch: expected a whole number from 1 to 1000000000, got 'x'"),
        (["terms", "--loss", "ring", "--alpha", "fast"], "--alpha: expected a number of at least 0, got 'fast'"),
        (["terms", "--loss", "ring", "--alpha", "nan"], "--alpha: expected a number of at least 0, got 'nan'"),
        (["terms", "--loss", "ring", "--sigma2", "-1"], "--sigma2: expected a finite number of at least 0, got '-1'"),
        (["terms", "--loss", "ring", "--noise", "minibatch", "--sigma2", "1"], "--sigma2: belongs to --noise label or gaussian, got --noise minibatch"),
        (["terms", "--loss", "ring", "--noise", "label", "--cov", "1,0,0,1"], "--cov: belongs to --noise gaussian, got --noise label"),
    ]

    def test_each_message(self):
        for arguments, words in self.TABLE:
            with self.subTest(arguments):
                self.refused(self.sde(*arguments), words)

    def test_methods_count_from_0_in_the_help(self):
        for sub in ("run", "verify"):
            self.assertIn("count from 0", " ".join(self.sde(sub, "--help").stdout.split()))


class NoEffect(Case):
    """A note on standard error for every key that changes nothing, and for no other."""

    OWN = FILE.replace('kind = "local_sgd"', 'kind = "local_sgd"\nH = 10').replace('"slow_ode_local_sgd"', '"slow_ode_local_sgd"\nH = 10')

    def notes(self, text, *arguments):
        r = self.run_file(text, "--set", "experiment.pairs=0", *arguments)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stderr

    def test_silent_where_all_have(self):
        for text in (FILE, FILE + QSR):
            self.assertEqual(self.notes(text), "")
        for name in sorted(f for f in os.listdir("experiments") if f.endswith(".toml")):
            with open("experiments/" + name) as file:
                self.assertEqual(self.notes(file.read(), "--set", "experiment.paths=2", "--set", "experiment.observations=1"), "", name)

    def test_each_note(self):
        for text, assignment, words in [
            (self.OWN.replace("H = 5\n", ""), "training.H=40", "command line: training.H has no effect: every method that reads it has its own"),
            (self.OWN, "experiment.paths=4", "mine.toml:13: training.H has no effect: every method that reads it has its own"),
            (FILE, "training.beta=0.3", "command line: training.beta has no effect: no method of this file reads it (conventional_qsr, qsr, "),
            (FILE, "training.dt=0.001", "command line: training.dt has no effect: no method of this file reads it"),
            (FILE, "training.switch=0.5", "training.switch has no effect: no method of this file reads it"),
            (FILE, "training.floor=0.1", 'training.floor has no effect: it belongs to schedule = "cosine" and "linear"'),
            (FILE, "training.factor=0.5", 'training.factor has no effect: it belongs to schedule = "step"'),
            (FILE, "training.milestones=[0.1]", 'training.milestones has no effect: it belongs to schedule = "step"'),
            (FILE, "method.0.H=3", "command line: method.0.H has no effect: a method of kind sgd does not read it"),
            (FILE.replace("H = 5\n", ""), "method.*.H=3", ""),  # of all: SGD has none
            (FILE, "method.*.beta=3", "method.0.beta has no effect: a method of kind sgd does not read it"),
            (FILE, "method.2.paths=3", "method.2.paths has no effect: an ODE has one path"),
            (FILE, "training.workers=1", "training.H has no effect: one worker has no rounds"),
            (FILE + "batch = 4\n", "method.0.batch=2", ""),
            (FILE, "training.paths=3", "mine.toml:3: experiment.paths has no effect: every method has its own"),
            (FILE + "\n", "training.seed=3", ""),
        ]:
            with self.subTest(assignment):
                text = self.notes(text, "--set", assignment)
                self.assertIn(words, text)
                if not words:
                    self.assertEqual(text, "")
        self.assertIn("method.1.H, method.2.H have no effect: one worker", self.notes(self.OWN, "--set", "training.workers=1"))
        self.assertIn("experiment.seed has no effect", self.notes(FILE, "--set", "training.seed=3", "--seed", "5"))

    def test_verify_has_sizes_of_its_own(self):
        for key, said in [("experiment.paths=9", True), ("training.dt=0.1", True), ("training.eta=0.01", False)]:
            r = self.sde("verify", self.write(FILE), "9", "--budget", "0.1", "--set", key, "--quiet")
            self.assertEqual(f"--set {key} has no effect on sde verify" in r.stderr, said, r.stderr)

    def test_what_has_an_effect_has_one(self):
        """Of keys that are said to have none, results are the same bits; of others not."""
        def rows(*arguments):
            r = self.run_file(self.OWN, "--json", "--set", "experiment.pairs=0", *arguments)
            return [m["final"] for m in json.loads(r.stdout)["methods"]], "no effect" in r.stderr.replace("training.H has no effect", "")
        plain, _ = rows()
        for assignment in ("training.floor=0.1", "training.beta=0.3", "training.H=40", "method.0.dt=0.01"):
            self.assertEqual(rows("--set", assignment)[0], plain, assignment)
        for assignment in ("training.eta=0.01", "method.1.H=20", "training.workers=4", "experiment.seed=2"):
            text, said = rows("--set", assignment)
            self.assertNotEqual(text, plain, assignment)
            self.assertFalse(said, assignment)


if __name__ == "__main__":
    unittest.main()
