"""Modules are found by name on a search path, whatever program runs. Usage: test_modules.py SDE_BINARY LOADER_LIBRARY"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LOADER = sys.argv.pop()
SDE = sys.argv.pop()
MODULES = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(SDE))), "lib", "sde")
ASK = """
import ctypes, sys
loader = ctypes.CDLL(sys.argv[1])
loader.sharpness.restype = ctypes.c_double
message = ctypes.create_string_buffer(4096)
print(loader.sharpness(message, 4096), message.value.decode())
"""


def run(command, **env):
    clean = {k: v for k, v in os.environ.items() if k not in ("SDE_MODULE_PATH", "SDE_KERNELS")}
    return subprocess.run(command, capture_output=True, text=True, env={**clean, **env})


def kernels(folder):
    """Links the kernels' modules into a folder."""
    os.makedirs(folder)
    for module in glob.glob(os.path.join(MODULES, "kernels-x86-64*.so")) or glob.glob(os.path.join(MODULES, "*.so")):
        os.symlink(module, os.path.join(folder, os.path.basename(module)))
    return folder


class Found(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.program = os.path.join(self.place.name, "alone", "bin", "sde")  # a program without modules beside it
        os.makedirs(os.path.dirname(self.program))
        shutil.copy(SDE, self.program)
        self.library = os.path.join(self.place.name, "package", "loader.so")
        os.makedirs(os.path.dirname(self.library))
        shutil.copy(LOADER, self.library)

    def tearDown(self):
        self.place.cleanup()

    def terms(self, **env):
        return run([self.program, "terms", "--loss", "hyperbola", "--at", "2,0.5"], **env)

    def test_nowhere_and_where_the_environment_says(self):
        r = self.terms()
        if r.returncode == 0:
            self.skipTest("an installation of this version is where the program looks last")
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn("the module kernels-", r.stderr)
        empty = os.path.join(self.place.name, "empty")
        os.makedirs(empty)
        r = self.terms(SDE_MODULE_PATH=f"/no/such/folder:{empty}")
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn(os.path.realpath(empty), r.stderr)  # the folders that were searched
        self.assertIn("SDE_MODULE_PATH", r.stderr)
        there = kernels(os.path.join(self.place.name, "there"))
        r = self.terms(SDE_MODULE_PATH=f"{empty}:{there}")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("4.25", r.stdout)

    def test_the_environment_comes_before_the_modules_beside_the_program(self):
        there = os.path.join(self.place.name, "there")
        os.makedirs(there)
        for module in os.listdir(MODULES):
            if module.startswith("kernels-x86-64") or module.startswith("kernels-native"):
                with open(os.path.join(there, module), "w") as f:
                    f.write("not a module")
        r = run([SDE, "terms", "--loss", "hyperbola"], SDE_MODULE_PATH=there)
        self.assertEqual(r.returncode, 4, r.stderr)
        self.assertIn(there, r.stderr)

    def test_beside_the_program(self):
        kernels(os.path.join(self.place.name, "alone", "lib", "sde"))
        self.assertEqual(self.terms().returncode, 0)

    @unittest.skipIf(os.environ.get("SDE_SANITIZE"), "an interpreter without sanitizers does not load a library with them")
    def test_from_a_library_that_an_interpreter_loads(self):
        ask = [sys.executable, "-c", ASK, self.library]
        r = run(ask)
        self.assertEqual(r.returncode, 0, r.stderr)
        if not r.stdout.startswith("4.25"):
            self.assertIn("the module kernels-", r.stdout)
            r = run(ask, SDE_MODULE_PATH=kernels(os.path.join(self.place.name, "there")))
            self.assertTrue(r.stdout.startswith("4.25"), r.stdout + r.stderr)
        kernels(os.path.join(self.place.name, "package", "sde"))
        r = run(ask)
        self.assertTrue(r.stdout.startswith("4.25"), r.stdout + r.stderr)


@unittest.skipIf(os.environ.get("SDE_SANITIZE"), "not the code that is measured")
class Inlined(unittest.TestCase):
    def test_no_step_calls_the_arithmetic_of_its_numbers(self):
        """A copy of a pack that was a call made a slow SDE's step 3 to 4 times as long, in large functions alone."""
        for module in glob.glob(os.path.join(MODULES, "kernels-*86-64*.so")) + glob.glob(os.path.join(MODULES, "kernels-native.so")):
            r = run(["nm", "-C", module])
            self.assertEqual(r.returncode, 0, r.stderr)
            names = [line.split(" ", 2)[2] for line in r.stdout.splitlines() if re.match(r"[0-9a-f]+ [tTwW] ", line)]
            self.assertTrue(any("Ring" in n for n in names), "no symbols")
            self.assertEqual([n for n in names if re.match(r"sde::simd\w*::(Pack|Mask)<\w+, \d+>::", n)], [], module)


if __name__ == "__main__":
    unittest.main()
