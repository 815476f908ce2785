#!/usr/bin/env python3
"""Makes one self-contained HTML page of datasets of `sde run` (runs and sweeps) and of verify.json of `sde verify`."""

import argparse
import hashlib
import os
import sys

sys.dont_write_bytecode = True  # no cache beside an installed script

from figure_style import Problem, exit_code
from report_html import Cell, facts, number, page, source, table, text
from report_runs import RunItem, SweepItem
from report_verdicts import VerdictItem
from schema import opened, reading

KINDS = {"run": "run", "sweep": "sweep", "verdicts": "verdicts"}


def files_below(folder):
    """Datasets and verdicts below a folder, and what an unfinished run left there."""
    found, unfinished = [], []
    for path, folders, names in os.walk(folder):
        for name in sorted(folders):
            if name.endswith(".cells"):
                unfinished.append(os.path.join(path, name))
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not f.endswith(".cells"))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.endswith(".nc") or name == "verify.json":
                found.append(os.path.join(path, name))
            elif name.endswith(".checkpoint"):
                unfinished.append(os.path.join(path, name))
    return found, unfinished


def kind_of(path):
    if path.endswith(".json"):
        return VerdictItem
    data = opened(path)
    with reading(path):
        attributes = data.ncattrs()
        data.close()
    return SweepItem if "sweep" in attributes else RunItem


def item_of(path, name):
    """A result, with its figures and tables; `name` begins the tables' names."""
    try:
        item = kind_of(path)(path)
        item.drawn, item.tabled = item.figures(), item.tables(name)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # past the checks of what is where
        raise Problem(f"{path}: its values make no sense ({type(error).__name__}: {error}): it is damaged, or not of sde", 2)
    return item


def read(paths):
    """The items, and what was left out: (path, why). A file that was named must be good; one that was found may not be."""
    items, left_out, seen = [], [], set()

    def take(path):
        real = os.path.realpath(path)
        if real not in seen:
            item = item_of(path, f"table-{len(items)}")
            item.path = os.path.normpath(path)
            items.append(item)
            seen.add(real)

    for path in paths:
        if not os.path.exists(path):
            raise Problem(f"{path}: no such file or folder", 4)
        if not os.path.isdir(path):
            if not path.endswith((".nc", ".json")):
                raise Problem(f"{path}: expected a folder, a dataset of sde run (.nc), or a verify.json", 2)
            take(path)
            continue
        if not os.access(path, os.R_OK | os.X_OK):
            raise Problem(f"{path}: cannot be read (no permission)", 4)
        found, unfinished = files_below(path)
        left_out += [(u, "of a run that is not complete: sde run --resume goes on with it") for u in unfinished]
        reasons = []
        for file in found:
            try:
                take(file)
            except Problem as problem:
                reasons.append((file, str(problem).removeprefix(f"{file}: ")))
        left_out += reasons
        if len(reasons) == len(found):
            why = f" ({reasons[0][0]}: {reasons[0][1]})" if reasons else ""
            raise Problem(f"{path}: holds no dataset of sde run and no verify.json that can be read{why}", 2)
    return items, left_out


def checksum(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(stream.read()).hexdigest()


def provenance(item):
    """Where it comes from: the file, and what wrote it."""
    a = item.a
    pairs = [("file", item.path), ("SHA-256", checksum(item.path)), ("bytes", os.path.getsize(item.path))]
    if item.kind == "verdicts":
        pairs += [(k.replace("_", " "), item.j[k]) for k in ("budget", "seed", "margin_factor", "eta_factor", "family_level", "gradients", "seconds") if k in item.j]
    pairs += [(name, a[k]) for name, k in (("written by sde", "sde_version"), ("command", "command_line"), ("seed", "seed"), ("loss", "loss"), ("network", "network"),
                                           ("Gamma at the start", "gamma"), ("common noise", "common_noise")) if k in a]
    experiment = source("Experiment file", a["experiment"]) if a.get("experiment") else ""
    noise = source("Noise", a["noise"]) if a.get("noise") else ""
    return f'<h3>Provenance</h3>{facts(pairs)}{noise}{experiment}'


def together(items):
    """All runs in one figure, where there are several."""
    runs = [i for i in items if i.kind == "run"]
    if len(runs) < 2:
        return None
    from report_runs import SLOW_TIME, style

    choices, n = {}, 0
    for run in runs:
        looks = list(dict.fromkeys(str(l) for l in run.looks))
        own = {l: style(n + k) for k, l in enumerate(looks)}
        n += len(looks)
        for choice in run.observable_choices(f"{run.data.label}: "):
            for m, series in enumerate(choice["series"]):
                series.update(own[str(run.looks[m])])
            choices.setdefault(choice["name"], {**choice, "series": []})["series"] += choice["series"]
    return {"title": "All runs", "x": SLOW_TIME, "select": "observable", "choices": list(choices.values()), "first": "trace_hessian",
            "note": "Lines: slow SDE or ODE, with its 95% band. Markers: algorithm, 95% intervals."}


def body_of(title, made_by, items, left_out):
    figures = []

    def figure(data):
        figures.append(data)
        return f'<figure data-figure="{len(figures) - 1}"><figcaption>{text(data["title"])}</figcaption></figure>'

    rows = []
    for i, item in enumerate(items):
        what, lost = item.headline()
        rows.append([KINDS[item.kind], item.title(), what, number(float(lost), 12, "biased" if lost else ""), item.path])
    contents = "".join(f'<li><a href="#item-{i}">{text(item.title(), 80)}</a> <span>{text(KINDS[item.kind])}, {text(item.path)}</span></li>'
                       for i, item in enumerate(items))
    parts = [f'<a class="skip" href="#main">Skip to the content</a><header><h1>{text(title)}</h1></header>',
             f'<nav aria-label="Contents"><ol>{contents}</ol></nav><main id="main">',
             table("In this page", ["kind", "title", "what", "lost paths", "file"], rows, "overview")]
    if (both := together(items)) is not None:
        parts.append(f'<section><h2>Runs side by side</h2>{figure(both)}</section>')
    for i, item in enumerate(items):
        parts.append(f'<section id="item-{i}"><h2>{text(item.title(), 200)}</h2><p class="what">{text(KINDS[item.kind])}: {text(item.headline()[0])}</p>')
        parts += [*map(figure, item.drawn), *item.tabled]
        parts.append(provenance(item) + "</section>")
    if left_out:
        parts.append('<section id="left-out"><h2>Left out</h2>' + table("Files that could not be read, or are not complete", ["file", "why"], left_out, "left") + "</section>")
    parts.append(f'</main><footer><p>Made by {text(made_by)}. Figures by Chart.js 3 (MIT licence), which is part of this page: it needs no network.</p>'
                 "<p>Figures: drag to zoom, double-click for all. With the keyboard, in a figure: arrows move, + and - zoom, 0 shows all, "
                 "comma and full stop go from point to point.</p></footer><noscript><p>The figures need JavaScript; the tables do not.</p></noscript>")
    return "".join(parts), figures


def write(path, content):
    """Complete or not at all."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise Problem(f"{path}: cannot be written ({error.strerror})", 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--title")
    parser.add_argument("--made-by", default="sde")
    arguments = parser.parse_args()

    def make():
        items, left_out = read(arguments.paths)
        for path, why in left_out:
            print(f"sde report: left out: {path}: {why}", file=sys.stderr)
        title = arguments.title or (items[0].title() if len(items) == 1 else f"{len(items)} results of sde")
        body, figures = body_of(title, arguments.made_by, items, left_out)
        write(arguments.out, page(title, arguments.made_by, body, figures))

    return exit_code(make, "sde report", "netCDF4")


if __name__ == "__main__":
    sys.exit(main())
