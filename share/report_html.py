"""Pieces of the page of `sde report`: texts, tables, data for scripts, and the page around them. All that comes from a file goes
through `text`, `block` or `data_block`."""

import base64
import hashlib
import html
import json
import math
import os

from figure_style import Problem, plain

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report")
LIBRARY = "/usr/share/javascript/chart.js/chart.min.js"  # of Debian's libjs-chart.js
LICENCE = """Chart.js is under the MIT licence, copyright its contributors: Permission is hereby granted, free of charge, to any person
obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without
restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE
FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def text(value, most=400):
    """One line of a file's text, for a place between tags or in a quoted attribute."""
    return html.escape(plain(str(value), most), quote=True)


def block(value):
    """Lines of a file's text, for a <pre>."""
    kept = "".join(c if c.isprintable() or c in "\n\t" else " " for c in str(value))
    return html.escape(kept, quote=True)


def rounded(x):
    """A number for scripts: null where it is none."""
    return float(f"{x:.9g}") if math.isfinite(x) else None


def data_block(name, value):
    """Data for scripts. No text of it can end the element or begin another."""
    written = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for c in "<>&":
        written = written.replace(c, f"\\u{ord(c):04x}")
    return f'<script type="application/json" id="{name}">{written}</script>'


class Cell:
    """What a table's cell shows, and the number or text that it is sorted by."""

    def __init__(self, shown, by=None, mark=""):
        self.shown, self.by, self.mark = shown, shown if by is None else by, mark


def number(x, digits=5, mark=""):
    """A number's cell; empty where there is none."""
    if x is None or not math.isfinite(x):
        return Cell("", math.nan, mark)
    return Cell(f"{x:.{digits}g}", x, mark)


def mean_cell(mean, half, mark=""):
    """mean +- half, to the digits that the interval leaves."""
    if not math.isfinite(mean):
        return Cell("", math.nan, mark)
    if not math.isfinite(half) or half <= 0:
        return Cell(f"{mean:.6g}", mean, mark)
    places = min(12, max(0, 1 - math.floor(math.log10(half))))
    fixed = abs(mean) < 1e6 and (abs(mean) >= 1e-4 or mean == 0 or places <= 8)
    return Cell(f"{mean:.{places}f} \u00b1 {half:.{places}f}" if fixed else f"{mean:.4g} \u00b1 {half:.2g}", mean, mark)


def table(caption, head, rows, name):
    """A table that page.js sorts by its heads. `rows`: of Cells, or what a Cell shows."""
    rows = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    numeric = [any(isinstance(r[i].by, (int, float)) for r in rows) and all(isinstance(r[i].by, (int, float)) or r[i].by == "" for r in rows)
               for i in range(len(head))]
    out = [f'<div class="table" tabindex="0" role="region" aria-label="{text(caption)}"><table id="{name}">',
           f"<caption>{text(caption)}</caption><thead><tr>"]
    out += [f'<th scope="col"{" class=number" * numeric[i]}><button type="button">{text(h)}</button></th>' for i, h in enumerate(head)]
    out.append("</tr></thead><tbody>")
    for row in rows:
        out.append("<tr>")
        for i, cell in enumerate(row):
            by = cell.by
            if isinstance(by, (int, float)):
                by = f"{by:.17g}" if math.isfinite(by) else ""
            classes = " ".join(filter(None, ["number" * numeric[i], cell.mark]))
            attribute = f' class="{classes}"' if classes else ""
            out.append(f'<td{attribute} data-by="{text(by)}">{text(cell.shown)}</td>')
        out.append("</tr>")
    out.append("</tbody></table></div>")
    return "".join(out)


def facts(pairs):
    """Names and values beside each other."""
    return '<dl class="facts">' + "".join(f"<div><dt>{text(k)}</dt><dd>{text(v, 2000)}</dd></div>" for k, v in pairs if str(v) != "") + "</dl>"


def source(title, content):
    """A file's text, folded."""
    return f'<details><summary>{text(title)}</summary><pre tabindex="0">{block(content)}</pre></details>'


def asset(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as stream:
        return stream.read()


def library():
    """The plotting library's source."""
    path = os.environ.get("SDE_CHART_JS", LIBRARY)
    try:
        with open(path, encoding="utf-8") as stream:
            found = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}): expected Chart.js, of Debian's package "
                      "libjs-chart.js ($SDE_CHART_JS names another file)", 4)
    if "Chart.js v3." not in found[:400] or "</script" in found.lower():
        raise Problem(f"{path}: expected Chart.js of version 3", 4)
    return found


def hashed(content):
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


def page(title, made_by, body, figures):
    """The page. Its policy lets no script run but those that are written here, and nothing be loaded."""
    style = asset("page.css")
    scripts = [library(), *map(asset, ("tables.js", "series.js", "marks.js", "figures.js"))]
    policy = f"default-src 'none'; script-src {' '.join(map(hashed, scripts))}; style-src {hashed(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    return "".join([
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f'<meta name="generator" content="{text(made_by)}">\n<title>{text(title)}</title>\n<link rel="icon" href="data:,">\n',
        f"<style>{style}</style>\n</head>\n<body>\n{body}\n",
        f"<!-- {LICENCE} -->\n", data_block("figures", figures), "\n",
        *[f"<script>{s}</script>\n" for s in scripts], "</body>\n</html>\n"])
