"""The page of `sde report`, without a browser: what is in it, what it refuses. Usage: test_report.py SDE_BINARY"""

import base64
import copy
import hashlib
import html.parser
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

import netCDF4
import numpy as np

from report_examples import HOSTILE, committed, results, run, verdicts, write_json

SDE = os.path.abspath(sys.argv.pop(1))


class Page(html.parser.HTMLParser):
    """What a browser would make of it: elements, scripts, tables by their captions."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.scripts, self.styles, self.tables = [], [], [], {}
        self.open, self.texts, self.caption, self.row, self.cell = [], [], None, None, None
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)
        if tag == "script":
            self.scripts.append([dict(attributes), ""])
        elif tag == "style":
            self.styles.append("")
        elif tag == "caption":
            self.caption = ""
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.cell = ["", dict(attributes)]

    def handle_endtag(self, tag):
        self.open = []
        if tag == "caption":
            self.rows = self.tables.setdefault(self.caption, [])
        elif tag in ("td", "th") and self.cell is not None:
            self.row.append(self.cell)
            self.cell = None
        elif tag == "tr":
            self.rows.append(self.row)

    def handle_data(self, data):
        if self.open and self.open[-1] == "script" and self.scripts and self.cell is None:
            self.scripts[-1][1] += data
        elif self.open and self.open[-1] == "style":
            self.styles[-1] += data
        elif self.cell is not None:
            self.cell[0] += data
        elif self.open and self.open[-1] == "caption":
            self.caption += data
        self.texts.append(data)

    def data(self):
        return json.loads(next(text for attributes, text in self.scripts if attributes.get("type") == "application/json"))

    def column(self, caption, head):
        """Shown texts, and what they are sorted by."""
        heads, *rows = self.tables[caption]
        at = [h[0] for h in heads].index(head)
        return [(r[at][0], r[at][1]["data-by"]) for r in rows]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def sde(self, *arguments, **environment):
        return subprocess.run([SDE, "report", *arguments], capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)

    def page(self, *arguments):
        r = self.sde(*arguments, "--out", self.at("page.html"))
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(r.stdout, f"report  {self.at('page.html')}\n")
        with open(self.at("page.html"), encoding="utf-8") as stream:
            self.content = stream.read()
        self.said = r.stderr
        return Page(self.content)

    def refused(self, code, words, *arguments, **environment):
        out = self.at("refused.html")
        r = self.sde(*arguments, "--out", out, **environment)
        self.assertEqual(r.returncode, code, r.stderr)
        self.assertIn(words, r.stderr)
        self.assertNotIn("Traceback", r.stderr)
        self.assertFalse(os.path.exists(out))


class Content(Case):
    def test_one_of_each(self):
        page = self.page(results(SDE, self.at("out")))
        self.assertEqual(self.said, "")
        self.assertIn("4 results of sde", page.texts)
        kinds = [shown for shown, _ in page.column("In this page", "kind")]
        self.assertEqual(sorted(kinds), ["run", "run", "sweep", "verdicts"])
        titles = [f["title"] for f in page.data()]
        self.assertEqual(titles.count("Observables over slow time"), 2)
        for title in ("All runs", "Drift: predicted and measured", "Diffusion: predicted and measured", "Algorithm \u2212 slow SDE on common noise",
                      "At the end, against a swept key", "Differences in units of their margins"):
            self.assertIn(title, titles)
        self.assertEqual(sum(tag == "figure" for tag, _ in page.elements), len(titles))

    def test_the_numbers_are_the_datasets(self):
        file = run(SDE, self.at("out"), "ring", "Ring", "Local SGD, here")
        page = self.page(file)
        with netCDF4.Dataset(file) as data:
            runs, observables = list(data["run"][:]), json.loads(data.observables)
            figures = {f["title"]: f for f in page.data()}
            for choice in figures["Observables over slow time"]["choices"]:
                for series in choice["series"]:
                    m = runs.index(series["name"])
                    np.testing.assert_allclose(series["x"], data["slow_time"][m], rtol=1e-8)
                    np.testing.assert_allclose(series["y"], data[choice["name"]][m], rtol=1e-8)
                    self.assertEqual("e" in series, bool(data[choice["name"] + "_se"][m].any()))
                    if "e" in series:
                        np.testing.assert_allclose(series["e"], 1.959964 * data[choice["name"] + "_se"][m], rtol=1e-8)
            self.assertEqual([c["name"] for c in figures["Observables over slow time"]["choices"]], observables)
            drift = figures["Drift: predicted and measured"]["choices"][1]
            self.assertEqual(drift["name"], "x2")
            m = runs.index("Local SGD, here")
            measured = next(s for s in drift["series"] if s["name"] == "Local SGD, here")
            np.testing.assert_allclose(measured["y"], data["drift_measured"][m, :, 1], rtol=1e-8)
            np.testing.assert_allclose(measured["e"], 1.959964 * data["drift_measured_se"][m, :, 1], rtol=1e-8)
            slow = next(s for s in drift["series"] if s["kind"] == "line")
            k = runs.index(slow["name"])
            np.testing.assert_allclose(slow["y"], sum(data[n][k, :, 1] for n in ("drift_1", "drift_2", "ito_normal")), rtol=1e-8)
            thin = next(s for s in drift["series"] if s["kind"] == "thin")
            np.testing.assert_allclose(thin["y"], data["drift_1"][k, :, 1] + data["ito_normal"][k, :, 1], rtol=1e-8)
            difference = figures["Algorithm \u2212 slow SDE on common noise"]["choices"][0]
            np.testing.assert_allclose([v for v in difference["series"][0]["y"] if v is not None],
                                       [v for v in np.ma.filled(data["difference_" + difference["name"]][0], np.nan)[np.isfinite(data["pair_slow_time"][0])]
                                        if np.isfinite(v)], rtol=1e-8)
            shown = page.column("At the end: means over paths, \u00b1 95%", "sharpness tr Hess")
            for m, (text, by) in enumerate(shown):
                self.assertEqual(float(by), data["trace_hessian"][m, -1])
                mean, half = map(float, text.split(" \u00b1 "))
                self.assertLess(abs(mean - data["trace_hessian"][m, -1]), 0.1 * half)
                self.assertLess(abs(half - 1.959964 * data["trace_hessian_se"][m, -1]), 0.1 * half)
            keys = {r[0][0]: [c[0] for c in r[1:]] for r in page.tables["Parameters of the methods"][1:]}
            self.assertEqual(keys["H"][:2], ["10", "10"])
            self.assertEqual(keys["eta"], ["0.02"] * 3)
            self.assertIn(data.experiment, "".join(page.texts))
            self.assertIn(data.command_line, page.texts)
        with open(file, "rb") as stream:
            self.assertIn(hashlib.sha256(stream.read()).hexdigest(), page.texts)

    def test_a_sweep_has_every_cell(self):
        file = run(SDE, self.at("out"), "grid", "Sweep", "L", "--sweep", "training.eta=0.01,0.02", "--sweep", "method.0.H=5,10,20")
        page = self.page(file)
        rows = page.tables["Cells at the end: means over paths, \u00b1 95%"][1:]
        self.assertEqual(len(rows), 2 * 3 * 3)
        sweep = next(f for f in page.data() if "sweep" in f)["sweep"]
        with netCDF4.Dataset(file) as data:
            self.assertEqual([k["values"] for k in sweep["keys"]], [[0.01, 0.02], [5, 10, 20]])
            x1 = next(o for o in sweep["observables"] if o["name"] == "x1")
            np.testing.assert_allclose(np.reshape(x1["y"], (2, 3, 3)), data["x1"][..., -1], rtol=1e-8)
            difference = next(o for o in sweep["observables"] if o["name"] == "difference_x1")
            self.assertTrue(difference["pair"])
            self.assertEqual(len(difference["y"]), 6 * len(sweep["pairs"]))

    def test_zipped_words(self):
        file = run(SDE, self.at("out"), "zip", "Zip", "L", "--sweep", "training.eta=0.01,0.02", "--sweep", "training.schedule=constant,cosine", "--zip")
        page = self.page(file)
        sweep = next(f for f in page.data() if "sweep" in f)["sweep"]
        self.assertTrue(sweep["zip"])
        self.assertEqual([k["values"] for k in sweep["keys"]], [[0.01, 0.02], ["constant", "cosine"]])
        rows = page.tables["Cells at the end: means over paths, \u00b1 95%"][1:]
        self.assertEqual([[c[0] for c in r[:2]] for r in rows[::3]], [["0.01", "constant"], ["0.02", "cosine"]])

    def test_lost_paths_and_what_is_no_number(self):
        def lose(data):
            data["paths_lost"][0] = 3
            data["trace_hessian"][0, 2:] = np.nan
            data["trace_hessian_se"][0, 1:] = np.nan
            data["lambda_max"][0, :] = np.nan
            data["difference_trace_hessian"][0, :] = np.nan
            data["drift_measured"][0, :, :] = np.nan
            data["diffusion"][1, :, :] = np.inf

        page = self.page(committed("ring.nc", self.at("ring.nc"), lose))
        ends = "At the end: means over paths, \u00b1 95%"
        self.assertEqual(page.column(ends, "lost")[0], ("3 (means are biased)", "3"))
        self.assertEqual(page.column(ends, "largest Hessian eigenvalue")[0], ("", ""))
        with netCDF4.Dataset(self.at("ring.nc")) as data:
            self.assertEqual(float(page.column(ends, "sharpness tr Hess")[0][1]), data["trace_hessian"][0, 1])
        self.assertNotIn("NaN", json.dumps(page.data()))
        sharpness = next(c for c in page.data()[0]["choices"] if c["name"] == "trace_hessian")["series"][0]
        self.assertEqual(sharpness["y"][2:], [None] * 3)
        self.assertIn("(lost paths: biased)", sharpness["name"])

    def test_a_failed_cell(self):
        def fail(data):
            data["failure"][0, 0] = "lost <all> paths"
            data["trace_hessian"][0, 0, :] = np.nan

        page = self.page(committed("ring_sweep.nc", self.at("s.nc"), fail))
        caption = "Cells at the end: means over paths, \u00b1 95%"
        self.assertEqual(page.column(caption, "failure")[0][0], "lost <all> paths")
        self.assertEqual(page.column(caption, "sharpness tr Hess")[0], ("", ""))

    def test_networks(self):
        done = subprocess.run([SDE, "run", "experiments/digits.toml", "--out", self.folder, "--no-figure", "--quiet", "--threads", "1", "--set", "experiment.paths=2",
                               "--set", "experiment.time=0.2", "--set", "experiment.observations=1"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = self.page(self.at("digits.nc"))
        names = [c["name"] for c in page.data()[0]["choices"]]
        self.assertIn("test_error", names)
        self.assertEqual(len(page.data()), 1)  # no components, no pairs

    def test_verdicts(self):
        page = self.page(write_json(self.at("v/verify.json"), verdicts()))
        rows = "Rows: measured, predicted, verdict"
        self.assertEqual([v for v, _ in page.column(rows, "verdict")], ["agrees", "agrees", "disagrees", "inconclusive", "rejected", "rejected"])
        self.assertEqual([v for v, _ in page.column(rows, "margin")][:2], ["\u00b1 0.05", "at least -0.25"])
        self.assertEqual(page.column(rows, "measured")[3], ("", ""))
        self.assertIn("Not measured", page.tables)
        self.assertEqual(page.column("Where is it wrong? Factors of the slow SDE's terms", "verdict")[0][0], "wrong")
        margins, claim = page.data()
        self.assertEqual({s["name"]: s["y"] for s in margins["choices"][0]["series"]}, {"agrees": [0.4, 3.6], "disagrees": [4.0]})
        self.assertTrue(claim["logx"] and claim["logy"])
        self.assertEqual(len(claim["choices"][0]["series"]), 2)

    def test_the_same_page_again(self):
        committed("ring.nc", self.at("ring.nc"))
        self.page(self.at("ring.nc"))
        first = self.content
        self.page(self.at("ring.nc"))
        self.assertEqual(first, self.content)

    def test_the_page_is_in_the_first_folder(self):
        os.mkdir(self.at("-out"))
        committed("ring.nc", self.at("-out", "ring.nc"))
        for arguments, page in (([self.at("-out")], "-out/report.html"), ([self.at("-out/ring.nc")], "-out/report.html")):
            r = self.sde(*arguments)
            self.assertEqual((r.returncode, r.stdout), (0, f"report  {self.at(page)}\n"), r.stderr)
            os.remove(self.at(page))


class Safe(Case):
    def test_nothing_of_a_file_is_markup(self):
        page = self.page(results(SDE, self.at("out")), "--title", HOSTILE)
        self.assertEqual(len(page.scripts), 6)
        self.assertEqual([tag for tag, _ in page.elements if tag in ("img", "b", "iframe", "object", "embed", "base", "form")], [])
        for tag, attributes in page.elements:
            for name, value in attributes.items():
                self.assertFalse(name.startswith("on"), (tag, name))
                self.assertNotIn(name, ("src", "srcset", "style", "action", "srcdoc"), tag)
                if name == "href":
                    self.assertRegex(value, r"^(#|data:,$)")
        self.assertEqual(self.content.count("window.hostile"), self.content.count("&lt;script&gt;window.hostile") + self.content.count("\\u003cscript\\u003ewindow.hostile")
                         + self.content.count("onerror=&#x27;window.hostile") + self.content.count("onerror='window.hostile = 1'\\u003e"))
        self.assertIn(HOSTILE.replace("\u2028", " ").split(" $")[0].split("</script> ")[0].strip(), "".join(page.texts))

    def test_the_policy_allows_these_scripts_and_nothing_else(self):
        page = self.page(committed("ring.nc", self.at("ring.nc")))
        policy = next(a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
        rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
        self.assertEqual(rules["default-src"], ["'none'"])
        hashes = ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for attributes, text in page.scripts if not attributes]
        self.assertEqual(rules["script-src"], hashes)
        self.assertEqual(len(hashes), 5)
        self.assertIn("Chart.js v3.", self.content)
        self.assertIn("The above copyright notice and this permission notice shall be included", self.content)


class Refused(Case):
    def test_folders_and_files(self):
        self.refused(4, f"sde report: {self.at('nowhere')}: no such file or folder", self.at("nowhere"))
        os.mkdir(self.at("empty"))
        self.refused(2, f"{self.at('empty')}: holds no dataset of sde run and no verify.json", self.at("empty"))
        with open(self.at("text.txt"), "w") as stream:
            stream.write("x")
        self.refused(2, "text.txt: expected a folder, a dataset of sde run (.nc), or a verify.json", self.at("text.txt"))
        with open(self.at("bad.nc"), "w") as stream:
            stream.write("x")
        self.refused(4, "bad.nc: not a netCDF-4 file", self.at("bad.nc"))
        os.rename(self.at("bad.nc"), self.at("empty", "bad.nc"))
        self.refused(2, "that can be read (", self.at("empty"))
        os.remove(self.at("empty", "bad.nc"))
        with netCDF4.Dataset(self.at("other.nc"), "w"):
            pass
        self.refused(2, "other.nc: not a dataset of sde run", self.at("other.nc"))
        self.refused(2, "schema 99", committed("ring.nc", self.at("later.nc"), lambda d: d.setncattr("schema", np.int32(99))))
        good = committed("ring.nc", self.at("ring.nc"))
        r = self.sde(good, "--out", self.at("none", "page.html"))
        self.assertEqual(r.returncode, 4)
        self.assertIn("cannot be written (No such file or directory)", r.stderr)
        self.refused(4, "expected Chart.js, of Debian's package libjs-chart.js", good, SDE_CHART_JS=self.at("no.js"))
        self.refused(4, "expected Chart.js of version 3", good, SDE_CHART_JS=self.at("text.txt"))
        self.refused(4, "cannot be started", good, SDE_PYTHON=self.at("nopython"))
        self.assertEqual(subprocess.run([SDE, "report"], capture_output=True).returncode, 2)

    def test_what_a_folder_has_besides_is_said(self):
        os.makedirs(self.at("out", "grid.cells"))
        committed("ring.nc", self.at("out", "ring.nc"))
        committed("ring.nc", self.at("out", "grid.cells", "cell.nc"))
        committed("ring.nc", self.at("out", "later.nc"), lambda d: d.setncattr("schema", np.int32(99)))
        os.symlink("ring.nc", self.at("out", "same.nc"))
        for name in ("bad.nc", "run.checkpoint", "notes.txt"):
            with open(self.at("out", name), "w") as stream:
                stream.write("x")
        page = self.page(self.at("out"), self.at("out", "ring.nc"))
        self.assertEqual(len(page.tables["In this page"]), 2)
        left = {os.path.basename(r[0][0]): r[1][0] for r in page.tables["Files that could not be read, or are not complete"][1:]}
        self.assertEqual(set(left), {"bad.nc", "later.nc", "grid.cells", "run.checkpoint"})
        self.assertIn("schema 99", left["later.nc"])
        self.assertIn("--resume", left["run.checkpoint"])
        self.assertEqual(self.said.count("sde report: left out: "), 4)

    def test_damaged_datasets(self):
        """Refused in a line, or shown with other numbers."""
        dice = random.Random(11)
        codes = []
        for name in ("ring.nc", "ring_sweep.nc"):
            with open(committed(name, self.at("sound.nc")), "rb") as stream:
                sound = stream.read()
            used = len(sound.rstrip(b"\0"))
            for k in range(int(os.environ.get("SDE_DAMAGED", "8"))):
                wrong = bytearray(sound)
                at = dice.randrange(used - 64)
                wrong[at:at + 64] = dice.randbytes(64)
                with open(self.at("wrong.nc"), "wb") as stream:
                    stream.write(wrong if k % 2 else wrong[:at])
                r = self.sde(self.at("wrong.nc"), "--out", self.at("wrong.html"))
                codes.append(r.returncode)
                self.assertIn(r.returncode, (0, 2, 4), (name, k, r.stderr))
                self.assertNotIn("Traceback", r.stderr)
                self.assertEqual(r.stderr.count("\n"), r.returncode != 0, r.stderr)
        print(f"damaged datasets: {len(codes)}, exit codes 0: {codes.count(0)}, 2: {codes.count(2)}, 4: {codes.count(4)}")
        for change, words in ((lambda d: d["paths_lost"].__setitem__(0, -7), None), (lambda d: d.setncattr("keys", '{"H": "run"}'), None),
                              (lambda d: d.setncattr("keys", '{"H": "time"}'), "its values make no sense"), (lambda d: d.setncattr("keys", '{"H": "column"}'), None),
                              (lambda d: d.setncattr("observables", "[3]"), "expected names"), (lambda d: d.renameVariable("drift_1", "gone"), "drift_1 is missing")):
            r = self.sde(committed("ring.nc", self.at("odd.nc"), change), "--out", self.at("odd.html"))
            self.assertIn(r.returncode, (0,) if words is None else (2,), r.stderr)
            self.assertIn(words or "", r.stderr)
            self.assertNotIn("Traceback", r.stderr)

    def test_verdicts_that_are_none(self):
        def changed(change):
            j = copy.deepcopy(verdicts())
            change(j)
            return j

        damages = [[], 3, {}, {"claims": [], "rows": 3}, {"claims": [{}], "rows": []}, changed(lambda j: j["rows"].append(None)),
                   changed(lambda j: j["rows"][0].pop("verdict")), changed(lambda j: j["rows"][0].update(margin=[1])),
                   changed(lambda j: j["claims"][0]["points"].append(3)), changed(lambda j: j.update(not_measured=[3])), changed(lambda j: j.update(experiment=3))]
        for damage in damages:
            with self.subTest(str(damage)[:60]):
                self.refused(2, "not a verify.json of sde verify", write_json(self.at("d/verify.json"), damage))
        for content in ("", "{", "[" * 100000, "\x00"):
            with open(self.at("d/verify.json"), "w") as stream:
                stream.write(content)
            self.refused(2, "not a verify.json of sde verify", self.at("d/verify.json"))
        odd = changed(lambda j: (j["rows"][0].update(measured="many", difference_interval=3, lost="x", worst_of=None, method=3), j["claims"][0].update(notes="none", claim=99),
                                 j["wrong_terms"].append({"terms": 3}), j.update(seed="\ud800")))
        r = self.sde(write_json(self.at("d/verify.json"), odd), "--out", self.at("odd.html"))
        self.assertIn(r.returncode, (0, 2), r.stderr)
        self.assertNotIn("Traceback", r.stderr)


if __name__ == "__main__":
    unittest.main()
