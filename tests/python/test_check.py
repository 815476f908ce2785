"""scripts/check sees an include that turns back, and the table of docs/layout.md that would allow it. Usage: test_check.py"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = """
| folder | what | may include |
|---|---|---|
| sde/core | numbers | |
| sde/flow/kernel.hpp | templates | sde/core |
| sde/loss | losses | sde/core |
| sde/flow | flows | sde/loss |
| src/LAYER | not templates | |
| gpu | kernels | sde/flow/kernel.hpp |

"""


class Layers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write("docs/layout.md", TABLE)
        (self.root / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/check", self.root / "scripts/check")
        for file in ("include/sde/core/number.hpp", "include/sde/loss/loss.hpp", "include/sde/flow/flow.hpp", "include/sde/flow/kernel.hpp"):
            self.write(file, "#pragma once\n")

    def write(self, file, text):
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)

    def check(self):
        r = subprocess.run([sys.executable, self.root / "scripts/check", "layers"], capture_output=True, text=True)
        return r.returncode, r.stdout + r.stderr

    def refused(self, file, include, wanted):
        self.write(file, f'#include "{include}"\n')
        code, text = self.check()
        self.assertEqual(code, 1, text)
        self.assertIn(wanted, text)
        (self.root / file).unlink()

    def test_one_way_is_allowed(self):
        self.write("src/flow/flow.cpp", '#include "sde/flow/flow.hpp"\n#include "sde/core/number.hpp"\n#include <vector>\n')
        self.write("gpu/launch.cu", '#include "sde/flow/kernel.hpp"\n')
        self.assertEqual(self.check(), (0, "check: layers: passed\n"))

    def test_what_turns_back_is_named(self):
        self.refused("include/sde/core/other.hpp", "sde/loss/loss.hpp", "include/sde/core/other.hpp:1: include/sde/core may not include include/sde/loss/loss.hpp")
        self.refused("src/loss/loss.cpp", "../../include/sde/flow/flow.hpp", "src/loss/loss.cpp:1")
        self.refused("include/sde/flow/kernel.hpp", "sde/loss/loss.hpp", "include/sde/flow/kernel.hpp:1")

    def test_a_file_stands_for_itself_alone(self):
        self.refused("gpu/launch.cu", "sde/flow/flow.hpp", "gpu/launch.cu:1")

    def test_a_folder_without_a_row(self):
        self.refused("include/sde/new/new.hpp", "sde/core/number.hpp", "include/sde/new/new.hpp: in no row")

    def test_a_table_that_turns_back(self):
        self.write("docs/layout.md", TABLE.replace("| numbers | |", "| numbers | sde/loss |"))
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertIn("include/sde/core may include include/sde/loss, which is no row above it", text)


if __name__ == "__main__":
    unittest.main()
