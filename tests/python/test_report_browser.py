"""The page of `sde report` in a headless Chromium: figures, tables, keyboard, narrow screens, hostile texts. Skipped where there is no
Chromium with its driver, or no Selenium. Usage: test_report_browser.py SDE_BINARY"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from report_examples import results

SDE = os.path.abspath(sys.argv.pop(1))
WIDE, NARROW = (1200, 900), (400, 800)

browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select
    missing = [name for name, path in (("chromium", browser), ("chromium-driver", driver)) if not path]
except ImportError:
    missing = ["python3-selenium"]
if missing:
    print(f"skipped: no browser: Debian's {', '.join(missing)} not there (scripts/setup test installs it)")
    sys.exit(0)
try:
    socket.getaddrinfo("localhost", None)  # where the driver is spoken to
except OSError:
    print("skipped: no browser: localhost has no address (a root without /etc/hosts)")
    sys.exit(0)


class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        home = os.path.join(cls.folder.name, "home")  # what the browser writes goes away with it
        os.mkdir(home)
        cls.page = os.path.join(cls.folder.name, "page.html")
        done = subprocess.run([SDE, "report", results(SDE, os.path.join(cls.folder.name, "out")), "--out", cls.page], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={home}/profile", "--force-device-scale-factor=1"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.chrome.service.Service(driver, env={**os.environ, "HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home})
        cls.driver = webdriver.Chrome(service=service, options=options)
        cls.addClassCleanup(cls.driver.quit)

    def setUp(self):
        self.open(*WIDE)

    def tearDown(self):
        """No error, no warning, nothing that the policy had to stop; Chromium remarks on the tests' own reading of pixels."""
        self.assertEqual([e for e in self.driver.get_log("browser") if "willReadFrequently" not in e["message"]], [])

    def open(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.get("file://" + self.page)
        self.figures = self.driver.find_elements(By.TAG_NAME, "figure")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def figure(self, title):
        """Its number in window.reportFigures, and its element; scrolled to."""
        found = [i for i, f in enumerate(self.figures) if f.find_element(By.TAG_NAME, "figcaption").text == title]
        self.assertTrue(found, title)
        self.js("arguments[0].scrollIntoView({block: 'center'})", self.figures[found[0]].find_element(By.TAG_NAME, "canvas"))
        return found[0], self.figures[found[0]]

    def ends(self, i, axis):
        return self.js("const s = reportFigures[arguments[0]].chart.scales[arguments[1]]; return [s.min, s.max]", i, axis)

    def picture(self, i):
        return self.js("return reportFigures[arguments[0]].canvas.toDataURL()", i)

    def button(self, figure, label):
        return next(b for b in figure.find_elements(By.CSS_SELECTOR, ".controls button") if b.get_attribute("aria-label") == label)

    def box(self, figure, label):
        return next(e for e in figure.find_elements(By.CSS_SELECTOR, ".controls label") if e.text == label).find_element(By.TAG_NAME, "input")

    def focus(self, element):
        self.js("arguments[0].focus()", element)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()


class Figures(Browser):
    # Pixels around each mark and along each line that have the series' colour, or nearly.
    COLOURED = """
        const chart = reportFigures[arguments[0]].chart, ctx = chart.ctx, ratio = chart.currentDevicePixelRatio;
        return chart.data.datasets.map(function (d, s) {
          const wanted = [1, 3, 5].map((i) => parseInt(d.borderColor.slice(i, i + 2), 16));
          let hit = 0, all = 0;
          chart.getDatasetMeta(s).data.forEach(function (p, i) {
            if (!Number.isFinite(d.data[i].y)) return;
            ++all;
            const seen = ctx.getImageData(Math.round(p.x * ratio) - 8, Math.round(p.y * ratio) - 8, 17, 17).data;
            for (let k = 0; k < seen.length; k += 4)
              if (seen[k + 3] > 128 && wanted.every((w, c) => Math.abs(seen[k + c] - w) < 40)) { ++hit; break; }
          });
          return [d.label, hit, all];
        });"""

    def test_every_series_of_every_figure_is_drawn(self):
        self.assertGreaterEqual(len(self.figures), 11)
        for i, figure in enumerate(self.figures):
            drawn = self.js(self.COLOURED, i)
            self.assertTrue(drawn)
            for name, hit, count in drawn:
                with self.subTest(figure.find_element(By.TAG_NAME, "figcaption").text + ": " + name):
                    self.assertGreater(count, 0)
                    self.assertGreaterEqual(hit, 0.6 * count)  # marks may lie behind others
            self.assertEqual(int(figure.get_attribute("data-drawn")), sum(count for _, _, count in drawn))

    def test_series_on_and_off(self):
        i, figure = self.figure("All runs")
        before, high = self.picture(i), self.ends(i, "y")
        first = figure.find_elements(By.CSS_SELECTOR, ".legend button")[0]
        first.click()
        self.assertEqual(first.get_attribute("aria-pressed"), "false")
        self.assertNotEqual(self.picture(i), before)
        first.click()
        self.driver.execute_script("document.activeElement.blur()")
        ActionChains(self.driver).move_to_element(figure.find_element(By.TAG_NAME, "figcaption")).perform()
        self.assertEqual(self.picture(i), before)
        self.button(figure, "All series off").click()
        self.assertEqual({b.get_attribute("aria-pressed") for b in figure.find_elements(By.CSS_SELECTOR, ".legend button")}, {"false"})
        self.assertFalse(self.js("return reportFigures[arguments[0]].chart.getVisibleDatasetCount()", i))
        self.button(figure, "All series on").click()
        self.assertEqual(self.ends(i, "y"), high)

    def test_log_axes(self):
        i, figure = self.figure("Observables over slow time")
        Select(figure.find_element(By.TAG_NAME, "select")).select_by_visible_text("loss L(theta)")
        before = self.picture(i)
        self.box(figure, "log y").click()
        self.assertEqual(self.js("return reportFigures[arguments[0]].chart.scales.y.type", i), "logarithmic")
        self.assertNotEqual(self.picture(i), before)
        low, high = self.ends(i, "y")
        self.assertGreater(low, 0)
        middle = self.js("const y = reportFigures[arguments[0]].chart.scales.y; return y.getPixelForValue(Math.sqrt(y.min * y.max)) - (y.top + y.bottom) / 2", i)
        self.assertLess(abs(middle), 1)
        self.box(figure, "log y").click()
        self.assertEqual(self.picture(i), before)
        j, claim = self.figure("Claim 4: " + next(f for f in (g.find_element(By.TAG_NAME, "figcaption").text for g in self.figures) if f.startswith("Claim 4"))[9:])
        self.assertEqual(self.js("const s = reportFigures[arguments[0]].chart.scales; return [s.x.type, s.y.type]", j), ["logarithmic"] * 2)

    def test_drag_zooms_and_double_click_shows_all(self):
        i, figure = self.figure("Observables over slow time")
        canvas = figure.find_element(By.TAG_NAME, "canvas")
        area = self.js("const a = reportFigures[arguments[0]].chart.chartArea; return [a.left, a.top, a.right, a.bottom]", i)
        wide, tall = canvas.size["width"], canvas.size["height"]
        at = lambda u, v: (area[0] + u * (area[2] - area[0]) - wide / 2, area[1] + v * (area[3] - area[1]) - tall / 2)
        x, y = self.ends(i, "x"), self.ends(i, "y")
        a, b = at(0.25, 0.2), at(0.75, 0.6)
        ActionChains(self.driver).move_to_element_with_offset(canvas, *map(round, a)).click_and_hold().move_by_offset(*(round(q - p) for p, q in zip(a, b))).release().perform()
        zoomed_x, zoomed_y = self.ends(i, "x"), self.ends(i, "y")
        for got, wanted in ((zoomed_x, [x[0] + u * (x[1] - x[0]) for u in (0.25, 0.75)]), (zoomed_y, [y[1] - v * (y[1] - y[0]) for v in (0.6, 0.2)])):
            for g, w, whole in zip(got, wanted, (x, x) if got is zoomed_x else (y, y)):
                self.assertLess(abs(g - w), 0.01 * (whole[1] - whole[0]))
        self.assertFalse(figure.find_elements(By.CLASS_NAME, "zooming"))
        ActionChains(self.driver).double_click(canvas).perform()
        self.assertEqual((self.ends(i, "x"), self.ends(i, "y")), (x, y))

    def test_hover_names_the_point(self):
        i, figure = self.figure("Observables over slow time")
        canvas = figure.find_element(By.TAG_NAME, "canvas")
        x, y = self.js("const p = reportFigures[arguments[0]].chart.getDatasetMeta(0).data[4]; return [p.x, p.y]", i)
        ActionChains(self.driver).move_to_element_with_offset(canvas, round(x - canvas.size["width"] / 2), round(y - canvas.size["height"] / 2)).perform()
        body = self.js("const t = reportFigures[arguments[0]].chart.tooltip; return [t.opacity, t.body.map((b) => b.lines).flat()]", i)
        self.assertEqual(body[0], 1)
        self.assertRegex(" ".join(body[1]), r"at 0\.\d+: \d.*")

    def test_the_keyboard(self):
        i, figure = self.figure("Observables over slow time")
        canvas = figure.find_element(By.TAG_NAME, "canvas")
        x, y = self.ends(i, "x"), self.ends(i, "y")
        self.focus(figure.find_element(By.XPATH, ".//button[@aria-label='All series off']"))
        self.press(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element, canvas)
        self.assertNotEqual(self.js("return getComputedStyle(arguments[0]).outlineStyle", canvas), "none")
        self.press("+")
        inner = self.ends(i, "x")
        self.assertAlmostEqual(inner[1] - inner[0], (x[1] - x[0]) / 2)
        self.press(Keys.ARROW_RIGHT)
        self.assertAlmostEqual(self.ends(i, "x")[0], inner[0] + 0.1 * (inner[1] - inner[0]))
        self.press("0")
        self.assertEqual((self.ends(i, "x"), self.ends(i, "y")), (x, y))
        readout = figure.find_element(By.CLASS_NAME, "readout")
        self.press(".")
        first = readout.text
        name, at = self.js("const d = reportFigures[arguments[0]].chart.data.datasets[0]; return [d.label, d.data[0].y]", i)
        self.assertTrue(first.startswith(name), first)
        self.assertIn(f"at 0: {at:.6g}", first)
        self.press(".")
        self.assertNotEqual(readout.text, first)
        self.press(",")
        self.assertEqual(readout.text, first)
        self.press(Keys.TAB, Keys.SPACE)  # the first series
        self.assertEqual(figure.find_element(By.CSS_SELECTOR, ".legend button").get_attribute("aria-pressed"), "false")

    def test_a_sweep_against_each_of_its_keys(self):
        i, figure = self.figure("At the end, against a swept key")
        selects = {s.find_element(By.XPATH, "./..").text.split("\n")[0]: Select(s) for s in figure.find_elements(By.TAG_NAME, "select")}
        title = lambda: self.js("return reportFigures[arguments[0]].chart.options.scales.x.title.text", i)
        self.assertEqual(title(), "eta")
        held = lambda: [e.is_displayed() for e in figure.find_elements(By.CSS_SELECTOR, ".controls label") if e.get_attribute("textContent").split("=")[0] in ("eta ", "H ")]
        self.assertEqual(held(), [False, False])  # both are drawn
        selects["a colour for each"].select_by_visible_text("(nothing)")
        self.assertEqual(held(), [False, True])
        selects["a colour for each"].select_by_visible_text("H")
        series = self.js("return reportFigures[arguments[0]].now.series.map((s) => s.name)", i)
        self.assertTrue(any(name.endswith("H = 10") for name in series), series)
        selects["against"].select_by_visible_text("H")
        selects["a colour for each"].select_by_visible_text("eta")
        self.assertEqual(title(), "H")
        self.assertEqual(self.js("return reportFigures[arguments[0]].now.series[0].x", i), [5, 10])
        selects["observable"].select_by_visible_text("x1")
        self.assertEqual(self.js("return reportFigures[arguments[0]].chart.options.scales.y.title.text", i), "x1")
        selects["observable"].select_by_visible_text("difference: x1")
        self.assertTrue(all(" - " in name for name in self.js("return reportFigures[arguments[0]].now.series.map((s) => s.name)", i)))
        self.assertTrue(all(hit > 0 for _, hit, _ in self.js(self.COLOURED, i)))


class Tables(Browser):
    def test_heads_sort_by_the_keyboard(self):
        rows = self.driver.find_element(By.CSS_SELECTOR, "table[id$='-rows']")
        heads = rows.find_elements(By.CSS_SELECTOR, "thead th")
        column = [h.text for h in heads].index("difference")
        values = lambda: [tr.find_elements(By.TAG_NAME, "td")[column].get_attribute("data-by") for tr in rows.find_elements(By.CSS_SELECTOR, "tbody tr")]
        self.focus(heads[column].find_element(By.TAG_NAME, "button"))
        self.press(Keys.ENTER)
        self.assertEqual(heads[column].get_attribute("aria-sort"), "ascending")
        up = [float(v) for v in values() if v]
        self.assertEqual(up, sorted(up))
        self.assertEqual(values()[-1], "")  # what is no number goes last
        self.press(Keys.ENTER)
        self.assertEqual(heads[column].get_attribute("aria-sort"), "descending")
        down = [float(v) for v in values() if v]
        self.assertEqual(down, sorted(up, reverse=True))
        self.assertNotEqual(up, down)
        self.assertEqual(values()[-1], "")
        heads[2].find_element(By.TAG_NAME, "button").click()
        self.assertIsNone(heads[column].get_attribute("aria-sort"))


class Screens(Browser):
    def test_narrow(self):
        self.open(*NARROW)
        self.assertEqual(self.js("return [innerWidth, document.documentElement.scrollWidth]"), [400, 400])
        for figure in self.figures:
            canvas = figure.find_element(By.CSS_SELECTOR, ".plot canvas")
            self.assertGreater(canvas.size["width"], 300)
            self.assertLess(canvas.rect["x"] + canvas.size["width"], 400)
            for control in figure.find_elements(By.CSS_SELECTOR, "button, select"):
                if control.is_displayed():
                    self.assertGreaterEqual(control.size["height"], 24)
                    self.assertLessEqual(control.rect["x"] + control.size["width"], 400)
        for i in range(len(self.figures)):
            self.assertTrue(all(hit > 0 for _, hit, _ in self.js(Figures.COLOURED, i)))

    def test_a_window_that_becomes_narrow(self):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 420, "height": 800, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 200))")
        self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), 420)

    def test_the_first_tab_skips_the_contents(self):
        self.press(Keys.TAB)
        skip = self.driver.switch_to.active_element
        self.assertEqual(skip.text, "Skip to the content")
        self.assertGreaterEqual(skip.rect["x"], 0)
        for element in self.driver.find_elements(By.CSS_SELECTOR, "canvas[role=img], button, select, input"):
            self.assertTrue(element.accessible_name or not element.is_displayed(), element.get_attribute("outerHTML"))


class Hostile(Browser):
    def test_texts_are_texts(self):
        self.assertIsNone(self.js("return window.hostile ?? null"))
        self.assertEqual(self.driver.find_elements(By.TAG_NAME, "img"), [])
        self.assertIn("<script>window.hostile = 1</script>", self.driver.find_element(By.TAG_NAME, "h2").text + self.driver.page_source + self.driver.find_element(By.TAG_NAME, "body").text)
        self.assertTrue(any("Local <b>SGD</b>" in b.text for b in self.driver.find_elements(By.CSS_SELECTOR, ".legend button")))

    def test_nothing_is_loaded(self):
        self.assertEqual(self.js("return performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !n.startsWith('data:'))"), [])


if __name__ == "__main__":
    unittest.main()
