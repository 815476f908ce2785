"""Datasets and checkpoints of other versions, and damaged ones: `sde plot` draws or refuses them by name, a run goes on from them or
says why not. Usage: test_datasets_read.py SDE_BINARY"""

import gzip
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import netCDF4
import numpy as np

SDE = os.path.abspath(sys.argv.pop(1))
DATA = os.path.abspath(os.path.join(os.path.dirname(__file__), "../data"))
HEADER = "<16sIIQ20s"  # of a checkpoint, before its checksum


def variables(file):
    with netCDF4.Dataset(file) as data:
        data.set_auto_mask(False)
        return {name: (str(v[:].tolist()) if v.dtype is str else np.ascontiguousarray(v[:]).tobytes()) for name, v in data.variables.items()}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def at(self, name):
        return os.path.join(self.folder.name, name)

    def committed(self, name, as_name=None):
        """A file of tests/data, unpacked."""
        with gzip.open(os.path.join(DATA, name + ".gz")) as packed, open(self.at(as_name or name), "wb") as file:
            shutil.copyfileobj(packed, file)
        return self.at(as_name or name)

    def copied(self, name, damage):
        """A file of tests/data written anew, which damage(data) may change: one that netCDF wrote in memory it does not open for that."""
        source = self.committed(name, "source.nc")
        with netCDF4.Dataset(source) as a, netCDF4.Dataset(self.at(name), "w") as b:
            a.set_auto_mask(False)
            for d in a.dimensions.values():
                b.createDimension(d.name, d.size)
            for n, v in a.variables.items():
                w = b.createVariable(n, v.dtype, v.dimensions)
                w.setncatts({k: v.getncattr(k) for k in v.ncattrs() if k != "_FillValue"})
                w[...] = v[...]
            b.setncatts({k: a.getncattr(k) for k in a.ncattrs()})
            damage(b)
        return self.at(name)

    def plot(self, file):
        return subprocess.run([SDE, "plot", file, "--out", self.at("figure"), "--formats", "svg"], capture_output=True, text=True, timeout=60)

    def refused(self, file, words, code=2):
        r = self.plot(file)
        self.assertEqual(r.returncode, code, r.stderr)
        for word in ("sde plot: " + file, words):
            self.assertIn(word, r.stderr)
        self.assertEqual(r.stderr.count("\n"), 1, r.stderr)
        self.assertFalse(os.path.exists(self.at("figure.svg")))


class OtherVersions(Case):
    """tests/data was written by sde 0.1.0 before datasets had a schema."""

    def test_datasets_before_the_first_schema_are_drawn(self):
        for name, words in (("ring.nc", "Local SGD, H = 5"), ("ring_sweep.nc", "method.*.H")):
            file = self.committed(name)
            with netCDF4.Dataset(file) as data:
                self.assertNotIn("schema", data.ncattrs())
            r = self.plot(file)
            self.assertEqual((r.returncode, r.stderr), (0, ""))
            with open(self.at("figure.svg")) as figure:
                self.assertIn(words, figure.read())
            os.remove(self.at("figure.svg"))

    def test_this_version_has_a_schema_and_it_is_read(self):
        sys.path.insert(0, os.path.join(DATA, "../../share"))
        from schema import SCHEMA
        for arguments in ([], ["--sweep", "method.*.H=5,10"]):
            r = subprocess.run([SDE, "run", os.path.join(DATA, "ring.toml"), "--out", self.at("out"), "--no-figure", "--set", "training.eta=0.02", *arguments],
                               capture_output=True, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)
            with netCDF4.Dataset(self.at("out/ring.nc")) as data:
                self.assertEqual(data.schema, SCHEMA)
            self.assertEqual(self.plot(self.at("out/ring.nc")).returncode, 0)

    def test_a_later_schema_is_refused_by_name(self):
        for name in ("ring.nc", "ring_sweep.nc"):
            for schema, words in ((99, "schema 99 (of sde 0.1.0): this sde reads schemas up to"), (-1, "schema -1"), ("new", "attribute schema: expected a whole number")):
                value = np.int32(schema) if isinstance(schema, int) else schema
                self.refused(self.copied(name, lambda data: data.setncattr("schema", value)), words)

    def resume(self):
        return subprocess.run([SDE, "run", os.path.join(DATA, "ring.toml"), "--out", self.at("out"), "--no-figure", "--resume"], capture_output=True, text=True)

    def test_a_checkpoint_of_before_goes_on_to_the_same_bits_or_is_refused_by_name(self):
        os.mkdir(self.at("out"))
        file = self.committed("ring.checkpoint", "out/ring.checkpoint")
        r = self.resume()
        if r.returncode == 2:  # of a format that this version no longer reads
            self.assertIn(f"--resume: {file}: written by sde 0.1.0, checkpoint format 7", r.stderr)
            return
        self.assertEqual(r.returncode, 0, r.stderr)
        whole = self.committed("ring.nc")
        resumed, before = variables(self.at("out/ring.nc")), variables(whole)
        self.assertEqual({k: resumed[k] for k in before}, before)

    def test_a_checkpoint_of_another_version_is_refused_by_name(self):
        os.mkdir(self.at("out"))
        file = self.committed("ring.checkpoint", "out/ring.checkpoint")
        with open(file, "rb") as f:
            sound = f.read()
        mark, fmt, program, state, settings = struct.unpack_from(HEADER, sound)
        at = struct.calcsize(HEADER)
        content = sound[at + 20:]
        self.assertEqual(hashlib.sha1(sound[:at] + content).digest(), sound[at:at + 20])  # as docs/reliability.md has it
        other = b"0.0.9, checkpoint format 6, blocks of 32 paths"
        header = struct.pack(HEADER, mark, 6, len(other), state, settings)
        content = other + content[program:]
        with open(file, "wb") as f:
            f.write(header + hashlib.sha1(header + content).digest() + content)
        r = self.resume()
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn(f"--resume: {file}: written by sde 0.0.9, checkpoint format 6, blocks of 32 paths, this is sde ", r.stderr)


def without(data, name):
    """A variable under another name: netCDF deletes none."""
    data.renameVariable(name, "gone")


def other_dims(data, name, dims, kind="f8"):
    without(data, name)
    data.createVariable(name, kind, dims)


class Damaged(Case):
    RUN = [
        (lambda d: d.delncattr("observables"), "not a dataset of sde run (no attribute 'observables')"),
        (lambda d: d.setncattr("observables", "not JSON"), "attribute observables: expected JSON, a list, got 'not JSON'"),
        (lambda d: d.setncattr("observables", "[" * 100000), "attribute observables: expected JSON, a list"),
        (lambda d: d.setncattr("observables", "{}"), "attribute observables: expected JSON, a list, got '{}'"),
        (lambda d: d.setncattr("observables", np.int32(3)), "attribute observables: expected JSON, a list, got '3'"),
        (lambda d: d.setncattr("observables", "[]"), "attribute observables: expected names, got []"),
        (lambda d: d.setncattr("observables", "[3]"), "attribute observables: expected names, got [3]"),
        (lambda d: d.setncattr("observables", '["nothing"]'), "variable nothing is missing: expected numbers over (run, time)"),
        (lambda d: d.setncattr("keys", "[]"), "attribute keys: expected JSON, an object"),
        (lambda d: d.setncattr("keys", '{"eta": "nothing"}'), "attribute keys: eta is said to be in variable 'nothing', which is missing"),
        (lambda d: without(d, "run"), "variable run is missing: expected text over (run)"),
        (lambda d: without(d, "group"), "variable group is missing"),
        (lambda d: without(d, "discrete"), "variable discrete is missing: expected numbers over (run)"),
        (lambda d: without(d, "paths_lost"), "variable paths_lost is missing"),
        (lambda d: without(d, "slow_time"), "variable slow_time is missing: expected numbers over (run, time)"),
        (lambda d: without(d, "interval_width"), "variable interval_width is missing"),
        (lambda d: without(d, "trace_hessian"), "variable trace_hessian is missing"),
        (lambda d: without(d, "trace_hessian_se"), "variable trace_hessian_se is missing"),
        (lambda d: without(d, "drift_1"), "variable drift_1 is missing: expected numbers over (run, time, component)"),
        (lambda d: without(d, "diffusion"), "variable diffusion is missing"),
        (lambda d: without(d, "drift_measured"), "variable drift_measured is missing: expected numbers over (run, interval, component)"),
        (lambda d: without(d, "diffusion_measured_se"), "variable diffusion_measured_se is missing"),
        (lambda d: without(d, "pair_slow_time"), "variable pair_slow_time is missing: expected numbers over (pair, time)"),
        (lambda d: without(d, "difference_trace_hessian_se"), "variable difference_trace_hessian_se is missing"),
        (lambda d: other_dims(d, "slow_time", ("time", "run")), "variable slow_time: expected numbers over (run, time), got (time, run)"),
        (lambda d: other_dims(d, "discrete", ()), "variable discrete: expected numbers over (run), got ()"),
        (lambda d: other_dims(d, "run", ("run",)), "variable run: expected text over (run), got float64"),
        (lambda d: other_dims(d, "slow_time", ("run", "time"), str), "variable slow_time: expected numbers over (run, time), got <class 'str'>"),
        (lambda d: other_dims(d, "slow_time", ("run", "time"), "S1"), "variable slow_time: expected numbers over (run, time), got |S1"),
        (lambda d: d.renameDimension("time", "when"), "expected runs, two times or more, and an interval between any two, got run: 2, time: 0, interval: 4"),
        (lambda d: d.renameDimension("interval", "between"), "got run: 2, time: 5, interval: 0"),
    ]
    SWEEP = [
        (lambda d: d.setncattr("sweep", "not JSON"), "attribute sweep: expected JSON, an object, got 'not JSON'"),
        (lambda d: d.setncattr("sweep", "{}"), "attribute sweep: expected a mode, zip or product, and keys with label and key, got '{}'"),
        (lambda d: d.setncattr("sweep", '{"mode": "zip", "keys": [3]}'), "attribute sweep: expected a mode"),
        (lambda d: d.setncattr("sweep", '{"mode": "zip", "keys": []}'), "attribute sweep: expected a mode"),
        (lambda d: d.setncattr("sweep", json.dumps({"mode": "product", "keys": [{"label": "eta", "key": "training.eta"}]})), "variable eta: expected numbers over (eta), got (H, run)"),
        (lambda d: d.setncattr("sweep", json.dumps({"mode": "product", "keys": [{"label": "no", "key": "no"}]})), "variable no is missing: expected the values of a swept key"),
        (lambda d: d.delncattr("observables"), "attribute observables is missing"),
        (lambda d: d.setncattr("observables", '["nothing"]'), "variable nothing is missing: expected numbers over (H, run, time)"),
        (lambda d: without(d, "run"), "variable run is missing"),
        (lambda d: without(d, "discrete"), "variable discrete is missing"),
        (lambda d: without(d, "pair_theory"), "variable pair_theory is missing: expected text over (pair)"),
        (lambda d: without(d, "trace_hessian_se"), "variable trace_hessian_se is missing: expected numbers over (H, run, time)"),
        (lambda d: other_dims(d, "failure", ("run",), str) if "failure" in d.variables else d.createVariable("failure", str, ("run",)), "variable failure: expected text over (H, run), got (run)"),
        (lambda d: d.renameDimension("time", "when"), "expected runs, two times or more"),
    ]

    def test_each_message(self):
        for name, table in (("ring.nc", self.RUN), ("ring_sweep.nc", self.SWEEP)):
            for damage, words in table:
                with self.subTest(words):
                    self.refused(self.copied(name, damage), words)

    def test_what_is_no_dataset(self):
        for content in (b"", b"x", b"CDF\x01", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(4000)):
            with open(self.at("none.nc"), "wb") as file:
                file.write(content)
            self.refused(self.at("none.nc"), "not a netCDF-4 file", code=4)
        self.refused(self.at("nowhere.nc"), "no such file", code=4)
        self.refused(self.folder.name, "not a netCDF-4 file", code=4)

    def test_wrong_bytes_and_cuts(self):
        """Where the library sees the damage, or the checks do, it is refused in a line; elsewhere it is another number."""
        dice = random.Random(7)
        codes = []
        for name in ("ring.nc", "ring_sweep.nc"):
            with open(self.committed(name), "rb") as file:
                sound = file.read()
            used = len(sound.rstrip(b"\0"))
            for k in range(int(os.environ.get("SDE_DAMAGED", "8"))):
                bytes_ = bytearray(sound)
                if k % 2:
                    bytes_ = bytes_[:dice.randrange(used)]
                else:
                    at = dice.randrange(used - 64)
                    bytes_[at:at + 64] = dice.randbytes(64)
                with open(self.at(name), "wb") as file:
                    file.write(bytes_)
                r = self.plot(self.at(name))
                codes.append(r.returncode)
                self.assertIn(r.returncode, (0, 2, 4), (k, r.stderr))
                self.assertNotIn("Traceback", r.stderr)
                if r.returncode:
                    self.assertIn("sde plot: ", r.stderr)
        print(f"damaged datasets: {len(codes)}, exit codes 0: {codes.count(0)}, 2: {codes.count(2)}, 4: {codes.count(4)}")


if __name__ == "__main__":
    unittest.main()
