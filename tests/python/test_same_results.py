"""scripts/same_results: a program gives what it gave, and another seed or another number is seen. Usage: test_same_results.py SDE_BINARY"""

import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader

import netCDF4

sys.dont_write_bytecode = True
same_results = SourceFileLoader("same_results", "scripts/same_results").load_module()
SDE = os.path.abspath(sys.argv.pop(1))
SMALL = ["--only", "ring", "--no-verify", "--set", "experiment.paths=4", "--set", "experiment.observations=2"]


class SameResults(unittest.TestCase):
    def compare(self, other):
        return subprocess.run([sys.executable, "scripts/same_results", SDE, other, *SMALL], capture_output=True, text=True)

    def program(self, folder, text):
        file = pathlib.Path(folder) / "sde"
        file.write_text("#!/bin/sh\n" + text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def test_the_same_program(self):
        r = self.compare(SDE)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        row = r.stdout.splitlines()[1].split()
        self.assertEqual((row[0], *row[2:]), ("ring", "0", "0", "0"))
        self.assertGreater(int(row[1]), 50)

    def test_other_numbers_are_a_difference(self):
        with tempfile.TemporaryDirectory() as folder:
            r = self.compare(self.program(folder, f'exec "{SDE}" "$@" --seed 7\n'))
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertIn("ring: differs: diffusion_matrix_measured:", r.stdout)

    def test_what_one_side_alone_has_is_listed(self):
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, name) for name in ("before.nc", "after.nc")]
            for file, extra in zip(files, ("old", "new")):
                with netCDF4.Dataset(file, "w") as d:
                    d.createDimension("time", 2)
                    for name in ("loss", extra):
                        d.createVariable(name, "f8", ("time",))[:] = [0.0, float("nan")]
            c = same_results.Comparison()
            same_results.compare_datasets(c, *files)
        self.assertEqual(c.differences, [])
        self.assertEqual(c.alone, [("before", "old"), ("after", "new")])

    def test_entries_of_verify_are_compared_by_what_they_are(self):
        row = {"claim": 2, "loss": "ring", "quantity": "drift", "measured": 0.1}
        other = {**row, "quantity": "speed"}
        c = same_results.Comparison()
        same_results.compare_json(c, "", {"rows": [row], "seconds": 1.0}, {"rows": [other, dict(row)], "seconds": 2.0})
        self.assertEqual((c.differences, c.alone), ([], [("after", "/rows/2 ring speed")]))
        same_results.compare_json(c, "", {"rows": [row]}, {"rows": [{**row, "measured": 0.2}]})
        self.assertEqual(c.differences, ["/rows/2 ring drift/measured: 0.1 and 0.2"])

    def test_a_program_that_fails(self):
        self.assertEqual(self.compare("/bin/false").returncode, 2)


if __name__ == "__main__":
    unittest.main()
