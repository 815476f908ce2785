"""Executes the notebooks from end to end at small settings, and holds them to how they are committed: without outputs, with a rendered
copy of the same text. Usage: run_notebook.py SDE_BINARY"""

import json
import os
import re
import sys
import time

sys.path.insert(0, "notebooks")
os.environ["SDE_BIN"] = os.path.abspath(sys.argv[1])
os.environ["SDE_NOTEBOOK_SMALL"] = "1"

import render

FIGURES = {"tour": 3, "drift": 4, "error": 2, "generalization": 3}

assert set(render.NAMES) == {p.stem for p in render.FOLDER.glob("*.ipynb")} == set(FIGURES), "a notebook that is not rendered, or not tested"
for name, wanted in FIGURES.items():
    begun = time.time()
    notebook = render.read(name)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(not c.outputs and c.execution_count is None for c in code), f"{name}.ipynb: committed with outputs"
    with open(render.FOLDER / f"{name}.ipynb") as stream:
        json.load(stream)
    copy = (render.DOCS / f"{name}.md").read_text()
    for cell in notebook.cells:
        assert render.source_of(cell) in copy, f"docs/notebooks/{name}.md: not of this notebook (notebooks/render.py {name}):\n{cell.source}"
    shown = re.findall(rf"\({name}_\d+\.png\)", copy)
    assert len(shown) == wanted, f"docs/notebooks/{name}.md: expected {wanted} figures, found {len(shown)}"
    absolute = re.search(r"(?:^|[\s`'\"=(])/\w+/\S*", copy)
    assert not absolute, f"docs/notebooks/{name}.md: a path of the machine that made it: {absolute[0]}"
    render.execute(notebook)
    images = sum("image/png" in o.get("data", {}) for c in code for o in c.outputs)
    assert images == wanted, f"{name}: expected {wanted} figures, found {images}"
    said = [o.text for c in code for o in c.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not said, f"{name}: warnings: {said}"
    assert any(o.output_type == "stream" and o.name == "stdout" for c in code for o in c.outputs), f"{name}: nothing printed"
    print(f"{name}: {len(code)} cells executed, {images} figures, {time.time() - begun:.0f} s")
