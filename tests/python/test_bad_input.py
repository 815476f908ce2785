"""Bad input, the tables of tests/data/bad_input.toml and more, each with what its message must say; keys that have no effect; suggestions of names.
Usage: test_bad_input.py SDE_BINARY"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

import netCDF4
import numpy as np

SDE = sys.argv.pop(1)
with open(os.path.join(os.path.dirname(__file__), "../data/bad_input.toml"), "rb") as table:
    TABLES = tomllib.load(table)

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

    def test_each_message(self):
        for option in ("set", "sweep"):
            for assignment, words in TABLES[option]:
                with self.subTest(option=option, assignment=assignment):
                    self.refused(self.run_file(FILE + QSR + SLOW, f"--{option}", assignment), words)

    def test_the_table_is_long_enough(self):
        self.assertGreaterEqual(sum(map(len, TABLES.values())), 100)

    def test_files_are_blamed(self):
        for text, words in [("", "mine.toml: has no keys; expected an experiment file"),
                            ("# nothing\n", "mine.toml: has no keys"),
                            ("title = 'x'\n", "mine.toml: loss.name: missing: expected one of"),
                            ('[loss]\nname = "ring"\n', "mine.toml: method: missing: expected at least one [[method]]"),
                            ("[loss]\na = 0.5\n", "mine.toml:1: loss.name: missing"),
                            ("not toml", "mine.toml:1: not valid TOML"),
                            (FILE.replace("eta = 0.02", "eta = 0.02\neta = 0.03"), "mine.toml:13: not valid TOML"),
                            ("seed = 99999999999999999999\n", "mine.toml:1: not valid TOML"),
                            ("[,oss]\n", "mine.toml:1: not valid TOML: Error while parsing key"),  # the fuzzer's: an assertion of toml++
                            ("[a.,b]\n", "mine.toml:1: not valid TOML: Error while parsing key")]:
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


class Data(Case):
    LOSS = '[loss]\nresidual = "x y - p"\nstart = [2, 0.5]\n[loss.data]\nfile = "points.csv"\n' + FILE[FILE.index("[training]"):]

    def test_each_message(self):
        for text, words in TABLES["csv"]:
            with self.subTest(text):
                self.write(text, "points.csv")
                self.refused(self.run_file(self.LOSS), "mine.toml:5: loss.data.file: ", "points.csv: " + words)

    def test_netcdf(self):
        rows, text = {"row": 2, "entry": 2, "nothing": None}, np.array(["a", "b"], dtype=object)
        for variables, words in [({}, "has no variables"),
                                 ({"p": (str, ("row",), text)}, "variable p: expected numbers, got string"),
                                 ({"p": ("S1", ("row",), None)}, "variable p: expected numbers, got char"),
                                 ({"p": ("f8", ("row", "row", "entry"), 1.0)}, "variable p: expected one dimension (rows) or two (rows, entries), got 3"),
                                 ({"p": ("f8", (), 1.0)}, "variable p: expected one dimension (rows) or two (rows, entries), got 0"),
                                 ({"p": ("f8", ("row",), [1, np.nan])}, "variable p: row 2: expected finite numbers"),
                                 ({"p": ("f8", ("nothing",), None)}, "variable p: expected 1 to 50000000 numbers, got 0 x 1"),
                                 ({"sin": ("f8", ("row",), 1.0)}, "variable sin: its name is a function of formulas")]:
            path = os.path.join(self.folder.name, "points.nc")
            with netCDF4.Dataset(path, "w") as file:
                for name, size in rows.items():
                    file.createDimension(name, size)
                for name, (kind, dims, values) in variables.items():
                    variable = file.createVariable(name, kind, dims)
                    if values is not None:
                        variable[...] = values
            with self.subTest(words):
                self.refused(self.run_file(self.LOSS.replace(".csv", ".nc")), "points.nc: " + words)
        with open(path, "rb") as file:
            whole = file.read()
        for cut in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
            with open(path, "wb") as file:
                file.write(whole[:cut])
            with self.subTest(cut=cut):
                r = self.run_file(self.LOSS.replace(".csv", ".nc"))
                self.refused(r, "points.nc: not a netCDF file with columns of numbers: ", without=[".cpp"])
                self.assertEqual(r.stderr.count("\n"), 1, r.stderr)


class CommandLine(Case):
    def test_each_message(self):
        for arguments, words in TABLES["command"]:
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
