"""verify.json in the page of `sde report`: counts, tables of claims and rows, and their figures."""

import json
import math

from figure_style import Problem, Z, plain
from report_html import Cell, number, rounded, source, table
from report_runs import style

MARKS = {"agrees": "good", "rejected": "good", "disagrees": "bad", "not rejected": "bad", "inconclusive": "open"}
COLUMNS = {"agree": ("agrees", False), "disagree": ("disagrees", False), "inconclusive": ("inconclusive", False), "controls rejected": ("rejected", True),
           "controls not rejected": ("not rejected", True), "controls undecided": ("inconclusive", True)}
LOG_X = {2, 4, 5, 8}
LOG_Y = {4, 5, 8}
AXES = {2: "2\u03b1\u03bb at the start", 10: "slow time", 11: "slow time", 12: "slow time"}


def real(value):
    """A number of the file: nan where it has null."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def list_of(entry, key):
    """A list of the file: empty where there is none."""
    return entry[key] if isinstance(entry.get(key), list) else []


def half_of(row):
    """Half of a row's 95% interval."""
    low, high = list_of(row, "difference_interval") if len(list_of(row, "difference_interval")) == 2 else (None, None)
    return (real(high) - real(low)) / 2


class VerdictItem:
    """What `sde verify` wrote."""

    kind = "verdicts"

    def __init__(self, path):
        try:
            with open(path, encoding="utf-8") as stream:
                self.j = json.load(stream)
        except OSError as error:
            raise Problem(f"{path}: cannot be read ({error.strerror})", 4)
        except (ValueError, RecursionError) as error:
            raise Problem(f"{path}: not a verify.json of sde verify ({error})", 2)
        self.check(path)
        about = self.j.get("experiment", {})
        self.a = {"title": about.get("title") or "Claims of the theory", "experiment": about.get("source", "")}

    def check(self, path):
        """What is shown is there, and of its kind."""
        def fail(what):
            raise Problem(f"{path}: not a verify.json of sde verify ({what})", 2)

        if not isinstance(self.j, dict) or not isinstance(self.j.get("experiment", {}), dict):
            fail("expected an object")
        for key, fields in (("claims", {"claim": int, "title": str, "points": list}), ("rows", {"claim": int, "quantity": str, "verdict": str, "margin": list})):
            if not isinstance(self.j.get(key), list):
                fail(f"{key}: expected a list")
            for entry in self.j[key]:
                for field, kind in fields.items():
                    if not isinstance(entry, dict) or not isinstance(entry.get(field), kind):
                        fail(f"{key}: expected {field} in each")
        for claim in self.j["claims"]:
            for point in claim["points"]:
                if not isinstance(point, dict) or not isinstance(point.get("series"), str):
                    fail("claims: expected a series in each of the points")
        for row in self.j["rows"]:
            if len(row["margin"]) != 2:
                fail("rows: expected two ends in each margin")
        for key in ("not_measured", "wrong_terms"):
            if not isinstance(self.j.get(key, []), list) or not all(isinstance(e, dict) for e in self.j.get(key, [])):
                fail(f"{key}: expected a list of objects")

    def title(self):
        return str(self.a["title"])

    def count(self, verdict, control, claim=None):
        return sum(r["verdict"] == verdict and bool(r.get("control")) == control and claim in (None, r["claim"]) for r in self.j["rows"])

    def headline(self):
        controls = sum(bool(r.get("control")) for r in self.j["rows"])
        lost = [real(r.get("lost", 0)) for r in self.j["rows"]]
        return (f"{self.count('agrees', False)} agree, {self.count('disagrees', False)} disagree, {self.count('inconclusive', False)} inconclusive; "
                f"{self.count('rejected', True)} of {controls} wrong predictions rejected"), int(sum(n for n in lost if math.isfinite(n)))

    def what(self, row):
        return str(row.get("method") or row.get("loss", ""))

    def tables(self, name):
        claims = [[number(c["claim"]), c["title"], str(c.get("margin", "")),
                   *[number(float(self.count(v, control, c["claim"]))) for v, control in COLUMNS.values()], str(c.get("source", ""))] for c in self.j["claims"]]
        rows = []
        for r in self.j["rows"]:
            low, high = (real(m) for m in r["margin"])
            half = half_of(r)
            rows.append([number(r["claim"]), self.what(r), Cell(r["quantity"], mark="name"), number(real(r.get("measured"))), number(real(r.get("predicted"))),
                         number(real(r.get("difference")), 3), number(half, 2), Cell(margin_text(low, high), high),
                         Cell(r["verdict"], mark=MARKS.get(r["verdict"], "")), number(real(r.get("gradients")), 3),
                         number(real(r.get("worst_of", math.nan))), number(real(r.get("lost", math.nan)))])
        found = [table("Claims", ["claim", "what", "margin", *COLUMNS, "source"], claims, name + "-claims"),
                 table("Rows: measured, predicted, verdict", ["claim", "method or loss", "quantity", "measured", "predicted", "difference", "\u00b1 95%",
                       "margin", "verdict", "gradients", "worst of", "lost"], rows, name + "-rows")]
        terms = [[str(w.get("method", "")), str(t.get("term", "")), number(real(t.get("has"))), number(real(t.get("measured"))),
                  number(Z * real(t.get("standard_error")), 2), number(real(t.get("alone"))), Cell("wrong" if t.get("wrong") else "", mark="bad" if t.get("wrong") else "")]
                 for w in list_of(self.j, "wrong_terms") for t in list_of(w, "terms") if isinstance(t, dict)]
        if terms:
            found.append(table("Where is it wrong? Factors of the slow SDE's terms", ["method", "term", "it has", "measured", "\u00b1 95%", "alone would have to be", "verdict"],
                               terms, name + "-terms"))
        missing = [[number(real(n.get("claim", math.nan))), self.what(n), str(n.get("quantity", "")), str(n.get("reason", ""))] for n in list_of(self.j, "not_measured")]
        if missing:
            found.append(table("Not measured", ["claim", "method or loss", "quantity", "reason"], missing, name + "-missing"))
        notes = [f"claim {c['claim']}: {n}" for c in self.j["claims"] for n in list_of(c, "notes")]
        return found + ([source("Notes of the claims", "\n".join(notes))] if notes else [])

    def axis(self, claim):
        """What the figure of a claim is drawn over."""
        swept = self.j.get("experiment", {}).get("swept")
        return plain(str(swept), 40) if swept and claim in (10, 11, 12) else AXES.get(claim, "\u03b7")

    def figures(self):
        figures = [self.margins()]
        for c in self.j["claims"]:
            series = {}
            for p in c["points"]:
                series.setdefault(p["series"], []).append([real(p.get("x")), real(p.get("y")), Z * real(p.get("standard_error"))])
            choices = [{"name": "all", "label": "", "series": [
                {"name": plain(n, 90), **style(i), "kind": "marker", "join": True,
                 **{k: [rounded(v) for v in column] for k, column in zip("xye", zip(*sorted(points, key=lambda p: p[0])))}}
                for i, (n, points) in enumerate(series.items())]}]
            if series:
                figures.append({"title": f"Claim {c['claim']}: {plain(c['title'], 240)}", "x": self.axis(c["claim"]), "select": "",
                                "choices": choices, "logx": c["claim"] in LOG_X, "logy": c["claim"] in LOG_Y, "psi": c["claim"] == 2,
                                "note": "What the claim's rows are made of, with 95% intervals."
                                        + (" Dashed: \u03c8, on which losses with one eigenvalue lie (valley, hyperbola)." if c["claim"] == 2 else "")})
        return [f for f in figures if f]

    def margins(self):
        """Each row's interval in units of its margin: inside -1 .. 1 it agrees."""
        series = {}
        for number_, r in enumerate(self.j["rows"], 1):
            low, high = (real(m) for m in r["margin"])
            half, unit = half_of(r), max(abs(low), abs(high))
            if r.get("control") or not math.isfinite(unit) or unit <= 0 or not math.isfinite(real(r.get("difference"))):
                continue
            points = series.setdefault(r["verdict"], {"x": [], "y": [], "e": [], "label": []})
            points["x"].append(number_)
            points["y"].append(rounded(real(r["difference"]) / unit))
            points["e"].append(rounded(half / unit))
            points["label"].append(plain(f"claim {r['claim']}, {self.what(r)}: {r['quantity']}", 160))
        if not series:
            return None
        looks = {"agrees": ("#009E73", 0), "disagrees": ("#D55E00", 3), "inconclusive": ("#E69F00", 2)}
        return {"title": "Differences in units of their margins", "x": "row of the table", "select": "", "edges": True, "whole": True,
                "note": "Between the dashed lines a row is inside its margin. Controls, which must lie outside, are not shown.",
                "choices": [{"name": "all", "label": "(measured \u2212 predicted) / margin", "series": [
                    {"name": plain(v, 40), "color": looks.get(v, ("#000000", 1))[0], "shape": looks.get(v, ("#000000", 1))[1], "dash": 0, "kind": "marker", **points}
                    for v, points in series.items()]}]}


def margin_text(low, high):
    if not math.isfinite(low) or not math.isfinite(high):
        return (f"at least {low:.3g}" if math.isfinite(low) else f"at most {high:.3g}" if math.isfinite(high) else "")
    return f"\u00b1 {high:.3g}" if low == -high else f"{low:.3g} to {high:.3g}"
