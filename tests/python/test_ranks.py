"""Several ranks under mpirun end with the numbers of one process, and one of them speaks. Usage: test_ranks.py SDE_BINARY"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import netCDF4
import numpy as np

SDE = os.path.abspath(sys.argv.pop(1))
# Containers run as root; more ranks than cores.
ENV = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

EXPERIMENT = """
[experiment]
paths = 20000
time = 0.1
observations = 2
observe = ["x1", "x1*x2"]
save_paths = 5000
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [1, 0.3, 0.3, 0.5]
[training]
eta = 0.02
workers = 2
batch = 4
[[method]]
kind = "local_sgd"
H = 5
[[method]]
kind = "slow_local_sgd"
H = 5
dt = 0.01
[[method]]
kind = "sgd"
paths = 50
"""


def mpirun(ranks, *arguments):
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), SDE, *arguments]


def working_rank(launcher):
    """The process of one of a launcher's ranks, once it handles SIGTERM."""
    with open(f"/proc/{launcher.pid}/task/{launcher.pid}/children") as f:
        for pid in f.read().split()[-1:]:
            with open(f"/proc/{pid}/status") as text:
                status = dict(line.split(":", 1) for line in text)
            program = status["Name"].strip() == "sde"  # not still the launcher's copy, which handles it, too
            return int(pid) if program and int(status["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1 else None


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, env={**ENV, **more}, timeout=300)


def numbers(file):
    """name -> bytes of every variable of a dataset, its groups' too."""
    with netCDF4.Dataset(file) as data:
        data.set_auto_mask(False)
        groups = [data, *data.groups.values()]
        found = {(g.path, n): np.asarray(v[...]) for g in groups for n, v in g.variables.items()}
    return {name: v.tobytes() if v.dtype != object else v.tolist() for name, v in found.items()}


class Ranks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "ring.toml")
        with open(self.file, "w") as f:
            f.write(EXPERIMENT)

    def arguments(self, name, *more):
        return ["run", self.file, "--out", os.path.join(self.folder.name, name), "--no-figure", "--threads", "1", *more]

    def dataset(self, name):
        return numbers(os.path.join(self.folder.name, name, "ring.nc"))

    def test_the_same_numbers_and_one_table(self):
        alone = run([SDE, *self.arguments("1")])
        self.assertEqual(alone.returncode, 0, alone.stderr)
        expected = self.dataset("1")
        self.assertGreater(len(expected), 10)
        for ranks in (2, 3):
            r = run(mpirun(ranks, *self.arguments(str(ranks))))
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertEqual(r.stdout.replace(f"/{ranks}/", "/1/"), alone.stdout)
            self.assertEqual(r.stderr, "")
            found = self.dataset(str(ranks))
            self.assertEqual(found.keys(), expected.keys())
            for name, value in expected.items():
                self.assertEqual(found[name], value, (ranks, name))

    def test_the_same_verdicts(self):
        arguments = ["verify", "3", "--loss", "ring", "--json"]
        alone, several = run([SDE, *arguments]), run(mpirun(2, *arguments))
        self.assertEqual(alone.returncode, several.returncode, several.stderr)
        self.assertEqual(json.loads(alone.stdout)["rows"], json.loads(several.stdout)["rows"])

    def test_a_time_given_for_all(self):
        r = run(mpirun(2, "verify", "9", "--loss", "ring", "--budget", "2", "--json"))
        self.assertIn(r.returncode, (0, 1), r.stderr)
        json.loads(r.stdout)

    def test_sweeps_by_whole_cells_or_shared_ones(self):
        more = ["--set", "experiment.paths=9000", "--json"]
        for name, sweep in [("whole", ["--sweep", "training.eta=0.01,0.02", "--sweep", "method.*.H=5,10", "--jobs", "2"]),
                            ("shared", ["--sweep", "training.eta=0.01,0.02"]),
                            ("failing", ["--sweep", "training.eta=geom:0.02:0.8:3", "--set", "experiment.time=4"])]:
            code = 3 if name == "failing" else 0
            alone = run([SDE, *self.arguments(name, *sweep, *more)])
            expected = self.dataset(name)
            r = run(mpirun(3, *self.arguments(name, *sweep, *more)))
            self.assertEqual((alone.returncode, r.returncode), (code, code), r.stderr)
            self.assertEqual(r.stdout, alone.stdout)
            self.assertEqual(self.dataset(name), expected)
            self.assertEqual(os.listdir(os.path.join(self.folder.name, name)), ["ring.nc"])

    def test_a_sweep_interrupted_and_gone_on_with_by_another_number_of_ranks(self):
        long = ["--set", "experiment.paths=60000", "--set", "experiment.time=0.5", "--sweep", "method.*.H=geom:5:40:4", "--json"]
        started = time.monotonic()
        whole = run([SDE, *self.arguments("whole", *long)])
        took = time.monotonic() - started
        self.assertEqual(whole.returncode, 0, whole.stderr)
        expected, command = self.dataset("whole"), mpirun(2, *self.arguments("parts", *long))
        p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
        while p.poll() is None and not working_rank(p):  # a launcher that is still starting would just end
            time.sleep(0.02)
        time.sleep(0.2 * took)  # of about half that time or more
        p.send_signal(signal.SIGTERM)
        _, err = p.communicate(timeout=60)
        self.assertIn("of 4 cells are complete", err)
        r = run([*mpirun(3, *self.arguments("parts", *long)), "--resume"])
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(self.dataset("parts"), expected)

    def test_interrupted_and_gone_on_with_by_another_number_of_ranks(self):
        long = ["--set", "experiment.paths=200000", "--set", "experiment.time=0.5", "--json"]
        started = time.monotonic()
        whole = run([SDE, *self.arguments("whole", *long)])
        took = time.monotonic() - started
        self.assertEqual(whole.returncode, 0, whole.stderr)
        interruptions = 0
        for ranks in (3, 2):
            resume = ["--resume"] if interruptions else []
            child = subprocess.Popen(mpirun(ranks, *self.arguments("cut", *long, *resume)), stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, env=ENV)
            while child.poll() is None and not (one := working_rank(child)):
                time.sleep(0.02)
            time.sleep(0.2 * took / ranks)  # well within the run, on a machine of any speed
            if child.poll() is None:
                os.kill(one, signal.SIGTERM)  # as a batch system would, but one of them alone
            _, err = child.communicate(timeout=120)
            if child.returncode == 0:
                break
            self.assertEqual(child.returncode, 130, err)
            self.assertEqual(err.count("sde: interrupted; checkpoint"), 1, err)
            self.assertEqual(sorted(os.listdir(os.path.join(self.folder.name, "cut"))), ["ring.checkpoint", "ring.checkpoint.previous"][:1 + bool(resume)])
            interruptions += 1
        self.assertGreater(interruptions, 0)
        if child.returncode != 0:
            r = run([SDE, *self.arguments("cut", *long, "--resume")])
            self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(self.dataset("cut"), self.dataset("whole"))

    def test_an_error_is_said_once_with_its_exit_code(self):
        for arguments, code, words in [
            (["run", "no/such.toml"], 2, "cannot be read"),
            (["run", self.file, "--frobnicate"], 2, "frobnicate"),
            (["run", self.file, "--set", "training.eta=0"], 2, "above 0"),
            (["run", self.file, "--out", "/proc/nowhere"], 4, "expected a folder"),
            (["run", self.file, "--out", self.folder.name, "--resume"], 2, "no checkpoint there"),
            (["verify", "77"], 2, "no claim 77"),
        ]:
            r = run(mpirun(3, *arguments))
            self.assertEqual(r.returncode, code, (arguments, r.stderr))
            self.assertEqual(r.stderr.count(words), 1, (arguments, r.stderr))

    def test_a_node_with_another_experiment_file_is_found_out(self):
        other = os.path.join(self.folder.name, "other")
        os.mkdir(other)
        shutil.copy(self.file, other)
        with open(os.path.join(other, "ring.toml"), "a") as f:
            f.write("dt = 0.005\n")
        places = [["-n", "1", "--wdir", where, SDE, "run", "ring.toml"] for where in (self.folder.name, other)]
        r = run(["mpirun", "--oversubscribe", *places[0], ":", *places[1]])
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertEqual(r.stderr.count("the ranks have come apart"), 1, r.stderr)

    def test_without_the_module_or_with_another_mpi_it_says_what_to_do(self):
        r = run([SDE, *self.arguments("1")], PMI_RANK="0", PMI_SIZE="2")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn("has started 2 processes, but Open MPI", r.stderr)
        program = os.path.join(self.folder.name, "bin", "sde")
        modules = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(SDE))), "lib", "sde")
        for folder in ("bin", "lib/sde"):
            os.makedirs(os.path.join(self.folder.name, folder))
        shutil.copy(SDE, program)
        for module in os.listdir(modules):
            if module != "ranks-mpi.so":
                os.symlink(os.path.join(modules, module), os.path.join(self.folder.name, "lib", "sde", module))
        r = run([program, *self.arguments("1")], OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="4")
        self.assertEqual(r.returncode, 2, r.stderr)
        for words in ("has started 4 processes", "ranks-mpi", "without the launcher"):
            self.assertIn(words, r.stderr)
        self.assertEqual(run([program, *self.arguments("1")]).returncode, 0)  # by itself it needs none


if __name__ == "__main__":
    if not shutil.which("mpirun") or "not in this build" in run([SDE, "info"]).stdout.split("MPI")[1].split("\n")[0]:
        print("skipped: no mpirun, or a build without MPI")  # as tests/CMakeLists.txt knows it
        sys.exit(0)
    if os.environ.get("SDE_SANITIZE"):
        print("skipped: under sanitizers MPI's own leaks and races are reported")
        sys.exit(0)
    unittest.main()
