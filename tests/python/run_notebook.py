"""Executes notebooks/tour.ipynb from end to end at a small setting. Usage: run_notebook.py SDE_BINARY"""

import os
import sys

import nbformat
from nbclient import NotebookClient

os.environ["SDE_BIN"] = os.path.abspath(sys.argv[1])
os.environ["SDE_TOUR_SMALL"] = "1"
notebook = nbformat.read("notebooks/tour.ipynb", as_version=4)
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "notebooks"}}).execute()
code = [c for c in notebook.cells if c.cell_type == "code"]
images = sum("image/png" in o.get("data", {}) for c in code for o in c.outputs)
assert images >= 2, f"expected two figures in the notebook, found {images}"
print(f"{len(code)} cells executed, {images} figures")
