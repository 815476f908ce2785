#!/usr/bin/env python3
"""Executes the notebooks at their full settings and writes what they show to docs/notebooks: NAME.md with its figures beside it.

  notebooks/render.py [NAME ...] [--sde PROGRAM]    default: all, by the `sde` of $SDE_BIN or the path
"""

import argparse
import base64
import io
import os
import pathlib
import re

import nbformat
from nbclient import NotebookClient

FOLDER = pathlib.Path(__file__).resolve().parent
DOCS = FOLDER.parent / "docs/notebooks"
NAMES = ("tour", "drift", "error", "generalization")


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def execute(notebook):
    """Runs all cells; their outputs are then in the notebook."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # the kernel's debugger, which has nothing to do here
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(FOLDER)}}).execute()
    return notebook


def small_png(data):
    """The same picture with at most 128 colours: a third of the bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()


def texts_of(output):
    """What an output shows as text."""
    if output.output_type == "stream":
        return output.text
    return output.get("data", {}).get("text/plain", "")


def source_of(cell):
    return cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```"


def head_of(name):
    return f"*A rendered copy of [notebooks/{name}.ipynb](../../notebooks/{name}.ipynb), by notebooks/render.py.*"


def render(name):
    notebook, parts, figures = execute(read(name)), [head_of(name)], 0
    for cell in notebook.cells:
        parts.append(source_of(cell))
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                figures += 1
                (DOCS / f"{name}_{figures}.png").write_bytes(small_png(base64.b64decode(picture)))
                parts.append(f"![figure {figures} of {name}]({name}_{figures}.png)")
            elif text := re.sub(r"\x1b\[[0-9;]*m", "", texts_of(output)).rstrip():
                if "command_line" not in text:
                    parts.append(f"```\n{text}\n```")
                else:  # a dataset names the folder of the machine that made it
                    parts.append("```\n" + "\n".join(line for line in text.split("\n") if "command_line" not in line).rstrip() + "\n```")
    (DOCS / f"{name}.md").write_text("\n\n".join(parts) + "\n")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--sde", help="the program")
    options = parser.parse_args()
    unknown = [n for n in options.names if n not in NAMES]
    if unknown:
        parser.error(f"{unknown[0]}: expected one of {', '.join(NAMES)}")
    if options.sde:
        os.environ["SDE_BIN"] = os.path.abspath(options.sde)
    os.environ.pop("SDE_NOTEBOOK_SMALL", None)
    DOCS.mkdir(parents=True, exist_ok=True)
    for name in options.names or NAMES:
        for old in DOCS.glob(f"{name}_*.png"):
            old.unlink()
        print(f"{name}: {render(name)} figures", flush=True)


if __name__ == "__main__":
    main()
