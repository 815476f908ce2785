"""What goes wrong from outside, and what is lost by it: processes killed, two runs into one folder, disks that fill up, limits
of memory and file size, folders that vanish, figures that fail. Usage: test_faults.py SDE_BINARY FAILING_WRITES [TEST...]

Runs are killed at SDE_MOMENTS random moments each (3)."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import netCDF4
import numpy as np

SDE, FAILING = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
SANITIZED = bool(os.environ.get("SDE_SANITIZE"))
MOMENTS = int(os.environ.get("SDE_MOMENTS", "3"))

EXPERIMENT = """
[experiment]
paths = 64
pairs = 64
time = 0.1
observations = 4
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
"""
LONG = ["--set", f"experiment.paths={640 if SANITIZED else 9000}", "--set", "experiment.time=1", "--set", "experiment.observations=20",
        "--set", "training.eta=0.01", "--threads", "2"]
OFTEN = ["--checkpoint-every", "0.02"]


def variables(file):
    """Every variable's bytes. The attributes say how the run was asked for, which may differ."""
    with netCDF4.Dataset(file) as data:
        data.set_auto_mask(False)
        return {name: (str(v[:].tolist()) if v.dtype is str else np.ascontiguousarray(v[:]).tobytes()) for name, v in data.variables.items()}


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")
        self.file = os.path.join(self.folder.name, "ring.toml")
        with open(self.file, "w") as f:
            f.write(EXPERIMENT)

    def command(self, *arguments, out=None, what="run"):
        return [SDE, what, self.file, "--no-figure", *arguments, "--out", out or self.out]

    def sde(self, *arguments, code=0, env=None, **more):
        r = subprocess.run(self.command(*arguments, **more), capture_output=True, text=True, timeout=300, env={**os.environ, **(env or {})})
        self.assertEqual(r.returncode, code, r.stderr + r.stdout)
        return r

    def whole(self, *arguments):
        """The variables of the same run without anything that goes wrong, and the seconds it takes."""
        out = os.path.join(self.folder.name, "whole")
        started = time.monotonic()
        self.sde(*arguments, out=out)
        return variables(os.path.join(out, "ring.nc")), time.monotonic() - started

    def dataset(self):
        return variables(os.path.join(self.out, "ring.nc"))


class Killed(Faults):
    """kill -9 at random moments, each time into what the one before has left, until a run ends by itself."""

    def until_done(self, command, took, left):
        """Kills at moments within `took` seconds; `left()` says whether there is something to go on from."""
        dice = random.Random(MOMENTS)
        kills = resumed = 0
        while True:
            resume = ["--resume"] if left() else []
            resumed += bool(resume)
            child = subprocess.Popen([*command, *resume], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                _, err = child.communicate(timeout=dice.uniform(0, took) if kills < MOMENTS else None)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
                continue
            self.assertIn(child.returncode, (0, 1), err)  # of a verification, that a claim is not decided
            if kills >= MOMENTS:
                return kills, resumed
            shutil.rmtree(self.out)

    def assert_clean(self, *files):
        self.assertEqual(sorted(os.listdir(self.out)), sorted(files))

    def test_run(self):
        whole, took = self.whole(*LONG)
        checkpoint = os.path.join(self.out, "ring.checkpoint")
        kills, resumed = self.until_done(self.command(*LONG, *OFTEN), took, lambda: any(map(os.path.exists, (checkpoint, checkpoint + ".previous"))))
        self.assertEqual(self.dataset(), whole)
        self.assert_clean("ring.nc")
        print(f"run: killed {kills} times, gone on {resumed} times")

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_a_rank(self):
        whole, _ = self.whole(*LONG)
        env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        checkpoint = os.path.join(self.out, "ring.checkpoint")
        for victim in range(2):
            shutil.rmtree(self.out, ignore_errors=True)
            with subprocess.Popen(["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2", *self.command(*LONG, *OFTEN)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env) as child:
                while not os.path.exists(checkpoint) and child.poll() is None:
                    time.sleep(0.005)
                with open(f"/proc/{child.pid}/task/{child.pid}/children") as f:
                    os.kill(sorted(map(int, f.read().split()))[victim], signal.SIGKILL)
                _, err = child.communicate()
            self.assertNotEqual(child.returncode, 0, err)
            self.sde(*LONG, "--resume")
            self.assertEqual(self.dataset(), whole)
            self.assert_clean("ring.nc")

    def test_sweep(self):
        arguments = [*LONG, "--sweep", "method.*.H=5,10,20"]
        whole, took = self.whole(*arguments)
        kills, resumed = self.until_done(self.command(*arguments, *OFTEN), took, lambda: os.path.isdir(os.path.join(self.out, "ring.cells")))
        self.assertEqual(self.dataset(), whole)
        self.assert_clean("ring.nc")
        print(f"sweep: killed {kills} times, gone on {resumed} times")

    def test_verify(self):
        def verdicts():
            def timeless(x):
                if isinstance(x, dict):
                    return {k: timeless(v) for k, v in x.items() if k != "seconds"}
                return [timeless(v) for v in x] if isinstance(x, list) else x
            with open(os.path.join(self.out, "verify.json")) as f:
                return timeless(json.load(f))
        command = [SDE, "verify", "1", "5", "6", "8", "9", "--loss", "ring", "--seed", "3", "--no-figure", "--out", self.out]
        started = time.monotonic()
        r = subprocess.run(command, capture_output=True, text=True)
        took = time.monotonic() - started
        self.assertIn(r.returncode, (0, 1), r.stderr)
        whole = verdicts()
        shutil.rmtree(self.out)
        checkpoint = os.path.join(self.out, "verify.checkpoint")
        kills, resumed = self.until_done([*command, *OFTEN], took, lambda: any(map(os.path.exists, (checkpoint, checkpoint + ".previous"))))
        self.assertEqual(verdicts(), whole)
        self.assert_clean("verify.json")
        print(f"verify: killed {kills} times, gone on {resumed} times")


class Folders(Faults):
    def begun(self, *arguments):
        """A run that has locked its folder."""
        child = subprocess.Popen(self.command(*LONG, "--set", "experiment.time=1000", *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        lock = os.path.join(self.out, "ring.lock")
        while not (os.path.exists(lock) and os.path.getsize(lock)) and child.poll() is None:
            time.sleep(0.01)
        return child

    def test_a_second_run_into_one_folder_is_refused_and_names_the_first(self):
        first = self.begun()
        second = self.sde(code=2)
        for words in (f"process {first.pid} on ", "ring.lock", "expected another folder"):
            self.assertIn(words, second.stderr)
        self.sde("--sweep", "method.*.H=5,10", code=2)  # it would write ring.nc, too
        shutil.copy(self.file, os.path.join(self.folder.name, "other.toml"))
        r = subprocess.run([SDE, "run", os.path.join(self.folder.name, "other.toml"), "--no-figure", "--out", self.out], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)  # shares no file with it
        first.kill()
        first.wait()
        self.assertTrue(os.path.exists(os.path.join(self.out, "ring.lock")))
        self.assertEqual(self.sde().stderr, "")  # taken over
        self.assertEqual(sorted(os.listdir(self.out)), ["other.nc", "ring.nc"])

    def test_of_many_that_begin_at_once_one_runs(self):
        children = [subprocess.Popen(self.command(*LONG), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        codes, errors = zip(*((c.wait(), c.communicate()[1]) for c in children))
        self.assertGreater(codes.count(0), 0)
        for code, error in zip(codes, errors):
            self.assertIn(code, (0, 2), error)
            self.assertTrue(code == 0 or "is writing ring there" in error, error)
        self.assertLess(codes.count(0), 6)
        self.assertEqual(os.listdir(self.out), ["ring.nc"])

    def test_two_verifications_into_one_folder(self):
        command = [SDE, "verify", "--all", "--out", self.out, "--no-figure"]
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lock = os.path.join(self.out, "verify.lock")
        while not (os.path.exists(lock) and os.path.getsize(lock)):
            time.sleep(0.01)
        second = subprocess.run(command, capture_output=True, text=True)
        first.kill()
        first.wait()
        self.assertEqual(second.returncode, 2)
        self.assertIn(f"process {first.pid} on ", second.stderr)

    def test_a_lock_of_another_host_is_taken_over_and_said(self):
        os.mkdir(self.out)
        with open(os.path.join(self.out, "ring.lock"), "w") as f:
            f.write("elsewhere 12345\n")
        self.assertIn("left by process 12345 on elsewhere, and taken over", self.sde().stderr)

    def test_output_removed_while_a_run_writes_into_it(self):
        whole, took = self.whole(*LONG)
        child = subprocess.Popen(self.command(*LONG, *OFTEN), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5 * took)
        shutil.rmtree(self.out, ignore_errors=True)
        _, err = child.communicate()
        self.assertEqual(child.returncode, 0, err)
        self.assertEqual(self.dataset(), whole)

    @unittest.skipIf(os.geteuid() == 0 and not hasattr(os, "setresuid"), "needs a user who may be refused")
    def test_a_read_only_folder_is_refused_before_anything_runs(self):
        os.mkdir(self.out)
        os.chmod(self.out, 0o555)
        os.chmod(self.folder.name, 0o755)
        nobody = {"user": 65534} if os.geteuid() == 0 else {}
        try:
            r = subprocess.run(self.command(), capture_output=True, text=True, **nobody)
        except PermissionError:
            self.skipTest("the program cannot be started by another user here")
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn("expected a folder that can be written to", r.stderr)


class Limits(Faults):
    def limited(self, limit, *arguments):
        return subprocess.run(["bash", "-c", f"{limit}; exec \"$0\" \"$@\"", *self.command(*arguments)], capture_output=True, text=True)

    def fails_in_all_places(self, *arguments, all_after):
        """Fails the n-th call that changes a file for n = 1, 2, ... until a run has none left; what is left goes on to `whole`."""
        whole, _ = self.whole(*arguments)
        mark = os.path.join(self.folder.name, "failed")
        codes = []
        for n in range(1, 400):
            shutil.rmtree(self.out, ignore_errors=True)
            os.mkdir(self.out)
            shutil.copy(os.path.join(self.folder.name, "whole", "ring.nc"), os.path.join(self.out, "ring.nc"))  # of an earlier run
            env = {"LD_PRELOAD": FAILING, "FAIL_AT": str(n), "FAIL_MARK": mark, **({"FAIL_ON": "1"} if all_after else {})}
            r = subprocess.run(self.command(*arguments, *OFTEN), capture_output=True, text=True, env={**os.environ, **env})
            failed = os.path.exists(mark)
            if failed:
                os.remove(mark)
            self.assertIn(r.returncode, (0, 4) if failed else (0,), (n, r.stderr))
            if r.returncode == 4 or "no checkpoint" in r.stderr:
                self.assertIn("No space left on device", r.stderr)
            self.assertEqual(self.dataset(), whole)  # the earlier one, or this
            if r.returncode == 4:
                left = [f for f in os.listdir(self.out) if f.endswith((".checkpoint", ".previous", ".cells"))]
                os.remove(os.path.join(self.out, "ring.nc"))
                self.sde(*arguments, *(["--resume"] if left else []))
                self.assertEqual(self.dataset(), whole)
            self.assertEqual(os.listdir(self.out), ["ring.nc"], (n, r.stderr))
            codes.append(r.returncode)
            if not failed:
                return codes
        self.fail("a run has no end of writes")

    SHORT = ["--set", "experiment.paths=2000", "--threads", "2"]

    @unittest.skipIf(SANITIZED, "the sanitizer wants to be loaded first")
    def test_a_write_that_fails_wherever_it_is(self):
        for all_after in (False, True):
            codes = self.fails_in_all_places(*self.SHORT, all_after=all_after)
            self.assertIn(4, codes)
            print(f"run, {'all writes from' if all_after else 'only'} the n-th: n up to {len(codes) - 1}, exit codes 0: {codes.count(0)}, 4: {codes.count(4)}")

    @unittest.skipIf(SANITIZED, "the sanitizer wants to be loaded first")
    def test_a_write_of_a_sweep_that_fails_wherever_it_is(self):
        codes = self.fails_in_all_places(*self.SHORT, "--sweep", "method.*.H=5,10", all_after=True)
        self.assertIn(4, codes)
        print(f"sweep, all writes from the n-th: n up to {len(codes) - 1}, exit codes 0: {codes.count(0)}, 4: {codes.count(4)}")

    def test_a_limit_of_the_file_size(self):
        whole, _ = self.whole(*self.SHORT)
        r = self.limited("ulimit -f 8", *self.SHORT, *OFTEN)
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn("ring.nc: cannot be written (File too large)", r.stderr)
        self.sde(*self.SHORT)
        self.assertEqual(self.dataset(), whole)

    @unittest.skipIf(SANITIZED, "the sanitizer wants terabytes of addresses")
    def test_a_limit_of_the_memory(self):
        many = ["--set", "experiment.observations=3000", "--set", "experiment.time=60", "--set", "experiment.save_paths=2000",
                "--set", "experiment.paths=2000", "--threads", "2"]
        r = self.limited("ulimit -v 250000", *many)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertIn("not enough memory", r.stderr)


class Figures(Faults):
    def test_a_figure_that_fails_costs_neither_the_dataset_nor_the_exit_code(self):
        for broken in ({"SDE_PYTHON": "/no/python"}, {"SDE_PYTHON": "/bin/false"}, {"SDE_SHARE": self.folder.name, "SDE_PYTHON": "/bin/false"}):
            r = subprocess.run([SDE, "run", self.file, "--out", self.out], capture_output=True, text=True, env={**os.environ, **broken})
            self.assertEqual(r.returncode, 4, r.stderr)
            self.assertIn("the figure was not drawn; the dataset is complete", r.stderr)
            self.dataset()
            # A failure of the numbers stays one.
            r = subprocess.run([SDE, "run", self.file, "--out", self.out, "--set", "training.eta=0.4", "--set", "noise.covariance=[9,0,0,9]", "--set", "experiment.time=8"],
                               capture_output=True, text=True, env={**os.environ, **broken})
            self.assertEqual(r.returncode, 3, r.stderr)
            self.dataset()
            command = [SDE, "verify", "1", "--loss", "ring", "--out", self.out]
            plain = subprocess.run([*command, "--no-figure"], capture_output=True, text=True)
            r = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **broken})
            self.assertEqual(r.returncode, plain.returncode, r.stderr)


if __name__ == "__main__":
    unittest.main()
