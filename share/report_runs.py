"""Runs and sweeps in the page of `sde report`: their tables, and the series of their figures."""

import json
import math

from figure_style import COLORS, Z, plain
from plot_sweep import Sweep
from report_html import Cell, mean_cell, number, rounded, table
from run_data import Dataset
from schema import reading

POINTS = 300  # of a curve, at most
SLOW_TIME = "slow time (\u03b7\u00b2 \u00d7 local steps)"
SHAPES = 7


def style(i):
    """Of the i-th group: colour, and what tells it apart beyond seven."""
    return {"color": COLORS[i % 7], "shape": (i + i // 7) % SHAPES, "dash": (i + 2 * (i // 7)) % SHAPES}


def places(count):
    """At most POINTS of `count`, with both ends."""
    import numpy as np

    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))


def curve(name, look, kind, x, y, half=None):
    """A series: kind is line, thin or marker; what is no number is a gap."""
    import numpy as np

    x, y = np.asarray(x, float), np.asarray(y, float)
    half = np.zeros_like(y) if half is None else np.nan_to_num(np.asarray(half, float))
    known = np.flatnonzero(np.isfinite(x))  # a time that is none has no place
    keep = known[places(len(known))] if len(known) else known
    found = {"name": plain(name, 90), **look, "kind": kind, "x": [rounded(v) for v in x[keep]], "y": [rounded(v) for v in y[keep]]}
    if half[keep].any():
        found["e"] = [rounded(v) for v in half[keep]]
    return found


def long_name(names, variable):
    name = str(names.get(variable, variable)).split(", mean over paths")[0]
    return plain(name.split(" of Phi(theta)")[0].split(" at Phi(theta)")[0], 80)


def last_known(values):
    """The place of the last number; None without any."""
    import numpy as np

    known = np.flatnonzero(np.isfinite(values))
    return int(known[-1]) if len(known) else None


class RunItem:
    """The dataset of one experiment."""

    kind = "run"

    def __init__(self, path):
        self.data = Dataset(path)
        self.a, self.v = self.data.a, self.data.v
        self.names = [str(n) for n in self.v["run"]]
        groups = list(dict.fromkeys(str(g) for g in self.v["group"]))
        self.looks = [style(groups.index(str(g))) for g in self.v["group"]]
        self.lost = [int(n) for n in self.v["paths_lost"]]

    def title(self):
        return str(self.a.get("title", "")) or self.data.label

    def text_of(self, variable, m):
        return str(self.v[variable][m]) if variable in self.v else ""

    def value_of(self, variable, m):
        return float(self.v[variable][m]) if variable in self.v else math.nan

    def name(self, m):
        return self.names[m] + (" (lost paths: biased)" if self.lost[m] else "")

    def headline(self):
        return f"{len(self.names)} methods", sum(self.lost)

    def methods(self, name):
        """At the end: each observable with its interval, and what became of the paths."""
        observables = self.data.observables()
        rows = []
        for m, run in enumerate(self.names):
            mark = "biased" if self.lost[m] else ""
            ends = [last_known(self.v[o][m]) for o in observables]
            end = max((k for k in ends if k is not None), default=None)
            total = self.value_of("paths_total", m)
            rows.append([Cell(run, mark="name"), self.text_of("kind", m), number(math.nan if end is None else float(self.v["slow_time"][m][end]), 6)]
                        + [mean_cell(math.nan, 0) if k is None else
                           mean_cell(float(self.v[o][m][k]), Z * float(self.v[o + "_se"][m][k]), mark) for o, k in zip(observables, ends)]
                        + [number(total, 12), Cell(str(self.lost[m]) + (" (means are biased)" if self.lost[m] else ""), self.lost[m], mark),
                           number(self.value_of("gradient_evaluations", m), 3), number(self.value_of("communication_rounds", m), 12)])
        head = ["method", "kind", "slow time"] + [long_name(self.data.names, o) for o in observables]
        head += ["paths", "lost", "gradients", "rounds"]
        return table("At the end: means over paths, \u00b1 95%", head, rows, name)

    def parameters(self, name):
        """Every key that some method has."""
        rows = []
        for key, variable in sorted(json.loads(self.a.get("keys", "{}")).items()):
            values = [v.item() if hasattr(v, "item") else v for v in self.v[variable]]
            cells = [number(float(v), 12) if not isinstance(v, str) else Cell(v) for v in values]
            if any(c.shown != "" for c in cells):
                rows.append([key, *[Cell(c.shown) for c in cells]])
        return table("Parameters of the methods", ["key", *self.names], rows, name) if rows else ""

    def pairs(self, name):
        if "pair_algorithm" not in self.v:
            return ""
        shown = [o for o in self.data.observables() if f"difference_{o}" in self.v]
        rows = []
        for p, algorithm in enumerate(self.v["pair_algorithm"]):
            cells = []
            for o in shown:
                mean = self.v[f"difference_{o}"][p]
                k = last_known(mean)
                cells.append(mean_cell(math.nan, 0) if k is None else mean_cell(float(mean[k]), Z * float(self.v[f"difference_{o}_se"][p][k])))
            rows.append([Cell(str(algorithm), mark="name"), Cell(self.text_of("pair_theory", p), mark="name"), *cells, number(self.value_of("pair_paths", p), 12),
                         number(self.value_of("pair_paths_lost", p), 12)])
        head = ["algorithm", "its slow SDE", *[long_name(self.data.names, o) for o in shown], "paths", "lost"]
        return table("Algorithm - slow SDE on common noise, at the end, \u00b1 95%", head, rows, name)

    def tables(self, name):
        return [t for t in (self.methods(name + "-methods"), self.pairs(name + "-pairs"), self.parameters(name + "-keys")) if t]

    def observable_choices(self, prefix=""):
        choices = []
        for o in self.data.observables():
            series = [curve(prefix + self.name(m), self.looks[m], "marker" if self.v["discrete"][m] else "line", self.v["slow_time"][m],
                            self.v[o][m], Z * self.v[o + "_se"][m]) for m in range(len(self.names))]
            choices.append({"name": o, "label": long_name(self.data.names, o), "series": series})
        return choices

    def measured(self, m, what, c):
        """The measured drift or diffusion of component c, between observations."""
        t = self.v["slow_time"][m]
        return curve(self.name(m), self.looks[m], "marker", 0.5 * (t[1:] + t[:-1]), self.v[what][m][:, c], Z * self.v[what + "_se"][m][:, c])

    def drift_choices(self):
        v, choices = self.v, []
        for c, component in enumerate(self.data.components()):
            series = []
            for m in range(len(self.names)):
                t = v["slow_time"][m]
                if v["discrete"][m]:
                    series.append(self.measured(m, "drift_measured", c))
                    continue
                without = v["drift_1"][m][:, c] + v["ito_normal"][m][:, c]
                series.append(curve(self.name(m), self.looks[m], "line", t, without + v["drift_2"][m][:, c]))
                if abs(v["drift_2"][m][:, c]).max() > 0:
                    series.append(curve(self.name(m) + ", without drift-II", self.looks[m], "thin", t, without))
            choices.append({"name": component, "label": component, "y": f"drift of {component}, per slow time", "series": series})
        return choices

    def diffusion_choices(self):
        v, choices = self.v, []
        for c, component in enumerate(self.data.components()):
            series = []
            for m in range(len(self.names)):
                if v["discrete"][m]:
                    series.append(self.measured(m, "diffusion_measured", c))
                else:
                    series.append(curve(self.name(m), self.looks[m], "line", v["slow_time"][m], v["diffusion"][m][:, c]))
            choices.append({"name": component, "label": component, "y": f"diffusion of {component}, per slow time", "series": series})
        return choices

    def difference_choices(self):
        choices = []
        for o in self.data.observables():
            if f"difference_{o}" not in self.v:
                continue
            series = []
            for p, algorithm in enumerate(self.v["pair_algorithm"]):
                m = self.names.index(str(algorithm)) if str(algorithm) in self.names else 0
                series.append(curve(f"{algorithm} - {self.text_of('pair_theory', p)}", self.looks[m], "marker", self.v["pair_slow_time"][p],
                                    self.v[f"difference_{o}"][p], Z * self.v[f"difference_{o}_se"][p]))
            label = long_name(self.data.names, o)
            choices.append({"name": o, "label": label, "y": f"difference of {label}", "series": series})
        return choices

    def figures(self):
        """What is drawn: figures with a list of choices each; `first` names the one that is shown first."""
        found = [{"title": "Observables over slow time", "select": "observable", "choices": self.observable_choices(), "first": "trace_hessian",
                  "note": "Lines: slow SDE or ODE, with its 95% band. Markers: algorithm, 95% intervals."},
                 {"title": "Drift: predicted and measured", "select": "component", "choices": self.drift_choices(), "zero": True,
                  "note": "Lines: drift-I + drift-II + normal It\u00f4 term; dotted: without drift-II. Markers: mean increments of \u03a6 per slow time."},
                 {"title": "Diffusion: predicted and measured", "select": "component", "choices": self.diffusion_choices(), "zero": True,
                  "note": "Lines: \u03a3\u2225/B, diagonal. Markers: variance of \u03a6's increments per slow time."},
                 {"title": "Algorithm \u2212 slow SDE on common noise", "select": "observable", "choices": self.difference_choices(), "zero": True,
                  "first": "trace_hessian", "note": "What is left where both are driven by the same draws: the theory's error at this learning rate."}]
        return [{"x": SLOW_TIME, **f} for f in found if any(len(s["x"]) for c in f["choices"] for s in c["series"])]


class SweepItem:
    """The dataset of a sweep."""

    kind = "sweep"

    def __init__(self, path):
        import numpy as np

        self.sweep = Sweep(path)
        with reading(path):
            data = self.sweep.data
            self.a = {n: data.getncattr(n) for n in data.ncattrs()}
            self.values = {k: self.sweep.values(k) for k in self.sweep.keys}
            self.ends = {o: self.sweep.at_end(o) for o in self.sweep.observables()}
            self.long = {o: str(getattr(data[o], "long_name", o)) for o in self.ends}
            self.groups = [str(g) for g in data["group"][...]]
            self.discrete = [bool(d) for d in data["discrete"][...]]
            self.lost = np.ma.filled(data["paths_lost"][...].astype(float), np.nan) if "paths_lost" in data.variables else None
            self.failures = np.asarray(data["failure"][...], dtype=object) if "failure" in data.variables else None
            self.pair_names = [f"{a} - {t}" for a, t in zip(data["pair_algorithm"][...], data["pair_theory"][...])] \
                if "pair_algorithm" in data.variables else []
            data.close()
        self.cells = [len(next(iter(self.values.values())))] if self.sweep.zip else [len(v) for v in self.values.values()]

    def title(self):
        return str(self.a.get("title", "")) or "sweep"

    def headline(self):
        lost = 0 if self.lost is None else int(sum(v for v in self.lost.ravel() if math.isfinite(v)))
        return f"{math.prod(self.cells)} cells, {len(self.sweep.runs)} methods", lost

    def at(self, place):
        """The keys' values of a cell."""
        return [v[place[0]] if self.sweep.zip else v[i] for v, i in zip(self.values.values(), place if not self.sweep.zip else [0] * len(self.values))]

    def tables(self, name):
        import numpy as np

        rows, names = [], self.sweep.names
        for place in np.ndindex(*self.cells):
            for m, run in enumerate(self.sweep.runs):
                lost = 0 if self.lost is None else self.lost[place][m]
                mark = "biased" if lost else ""
                failed = "" if self.failures is None else str(self.failures[place][m] or "")
                keys = [number(float(v), 12) if not isinstance(v, str) else Cell(v) for v in self.at(place)]
                means = [mean_cell(float(self.ends[o][0][place][m]), Z * float(self.ends[o][1][place][m]), mark) for o in names]
                rows.append([*keys, Cell(run, mark="name"), *means, number(float(lost), 12, mark), Cell(failed, mark="failed" if failed else "")])
        head = [*self.values, "method", *[long_name(self.long, o) for o in names], "lost", "failure"]
        return [table("Cells at the end: means over paths, \u00b1 95%", head, rows, name + "-cells")]

    def figures(self):
        def numbers(values):
            return [rounded(float(v)) for v in values.ravel()]

        groups = list(dict.fromkeys(self.groups))
        runs = [{"name": plain(n, 60), "shape": groups.index(g) % SHAPES, "kind": "marker" if d else "line"}
                for n, g, d in zip(self.sweep.runs, self.groups, self.discrete)]
        pairs = [{"name": plain(n, 60), "shape": i % SHAPES, "kind": "marker"} for i, n in enumerate(self.pair_names)]
        observables = []
        for o in self.ends:
            pair = o.startswith("difference_") and o not in self.sweep.names
            label = long_name(self.long, o) if not pair else "difference: " + long_name(self.long, o[len("difference_"):])
            observables.append({"name": o, "label": label, "pair": pair, "y": numbers(self.ends[o][0]), "e": numbers(Z * self.ends[o][1])})
        keys = [{"label": plain(k, 40), "values": v if any(isinstance(x, str) for x in v) else [rounded(float(x)) for x in v]}
                for k, v in self.values.items()]
        return [{"title": "At the end, against a swept key", "sweep": {"zip": self.sweep.zip, "keys": keys, "runs": runs, "pairs": pairs,
                 "observables": observables}, "colors": COLORS, "first": "trace_hessian",
                 "note": "Lines: slow SDE or ODE, with its 95% band. Markers: algorithm, 95% intervals. Cells that failed have no point."}]
