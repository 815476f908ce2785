"use strict";
// The figures: curves by Chart.js; controls, zoom, series on and off and the keyboard here.
(function () {
  const SHAPES = [["circle", 0], ["rect", 0], ["triangle", 0], ["rectRot", 0], ["triangle", 180], ["cross", 0], ["crossRot", 0]];
  const DASHES = [[], [7, 3], [2, 2], [8, 3, 2, 3], [4, 2, 1, 2, 1, 2], [12, 4], [1, 2]];
  const INK = "#1c2126", SOFT = "#5b6670", GRID = "#e4e8ec";

  const { ofSweep, psi, shown } = Series;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const name in attributes) made.setAttribute(name, attributes[name]);
    made.append(...children);
    return made;
  }

  /** Of a logarithmic axis: 1, 2 and 5 of each decade. */
  function logTick(v) {
    const leading = Number(v.toExponential(6).split("e")[0]);
    return [1, 2, 5].includes(leading) ? shown(v) : "";
  }

  // ---- a figure

  class Figure {
    constructor(root, data) {
      this.root = root;
      this.data = data;
      this.log = { x: false, y: false };
      this.off = new Set();
      this.controls = element("div", { class: "controls", role: "group", "aria-label": "Controls of the figure" });
      this.legend = element("div", { class: "legend", role: "group", "aria-label": "Series: on and off" });
      this.canvas = element("canvas", { tabindex: "0", role: "img" });
      this.plot = element("div", { class: "plot" }, this.canvas);
      this.readout = element("p", { class: "readout", "aria-live": "polite" });
      root.append(element("p", { class: "note" }, data.note || ""), this.controls, this.plot, this.readout, this.legend);
      this.chosen = {};
      if (data.sweep) this.sweepControls();
      else this.choiceControl();
      this.commonControls();
      this.build();
      this.listen();
    }

    select(label, options, value, change) {
      const list = element("select", {});
      options.forEach((o, i) => list.append(element("option", { value: String(i) }, o)));
      list.value = String(value);
      list.addEventListener("change", () => change(Number(list.value)));
      this.controls.append(element("label", {}, label, list));
      return list;
    }

    choiceControl() {
      const choices = this.data.choices;
      this.chosen.choice = Math.max(0, choices.findIndex((c) => c.name === this.data.first));
      if (choices.length > 1)
        this.select(this.data.select, choices.map((c) => c.label || c.name), this.chosen.choice, (i) => this.choose({ choice: i }));
    }

    sweepControls() {
      const s = this.data.sweep, words = (k) => k.values.some((v) => typeof v === "string");
      const rank = s.keys.map((k, i) => [words(k), -k.values.length, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      const x = rank[0][2], others = s.keys.map((_, i) => i).filter((i) => i !== x);
      this.chosen = { observable: Math.max(0, s.observables.findIndex((o) => o.name === this.data.first)), x: x,
                      lines: s.zip || !others.length ? -1 : others[0], held: s.keys.map(() => 0), member: -1 };
      const lines = this.chosen.lines >= 0 ? s.keys[this.chosen.lines].values.length : 1;
      if (s.runs.length * lines > 12) this.chosen.member = 0;
      this.select("observable", s.observables.map((o) => o.label), this.chosen.observable, (i) => this.choose({ observable: i, member: this.memberFor(i) }));
      this.memberList = this.select("of", ["all", ...s.runs.map((r) => r.name)], this.chosen.member + 1, (i) => this.choose({ member: i - 1 }));
      if (s.keys.length > 1) this.select("against", s.keys.map((k) => k.label), x, (i) => this.choose({ x: i }));
      if (s.zip || s.keys.length < 2) return;
      this.select("a colour for each", ["(nothing)", ...s.keys.map((k) => k.label)], this.chosen.lines + 1, (i) => this.choose({ lines: i - 1 }));
      this.heldLists = s.keys.map((k, n) => this.select(k.label + " =", k.values.map((v) => (typeof v === "number" ? shown(v) : v)), 0, (i) => {
        this.chosen.held[n] = i;
        this.choose({});
      }));
    }

    /** Pairs are not runs: all of them are shown. */
    memberFor(observable) {
      const pair = this.data.sweep.observables[observable].pair;
      this.memberList.disabled = pair;
      return pair ? -1 : Number(this.memberList.value) - 1;
    }

    commonControls() {
      this.logBox = {};
      for (const axis of ["x", "y"]) {
        const box = element("input", { type: "checkbox" });
        box.checked = this.log[axis] = Boolean(this.data["log" + axis]);
        box.addEventListener("change", () => {
          this.log[axis] = box.checked;
          this.build();
        });
        this.logBox[axis] = box;
        this.controls.append(element("label", {}, box, "log " + axis));
      }
      const button = (text, label, act) => {
        const made = element("button", { type: "button", "aria-label": label, title: label }, text);
        made.addEventListener("click", act);
        this.controls.append(made);
      };
      button("+", "Zoom in", () => this.zoom(0.5));
      button("\u2212", "Zoom out", () => this.zoom(2));
      button("all", "Show all", () => this.reset());
      button("series on", "All series on", () => this.toggleAll(true));
      button("series off", "All series off", () => this.toggleAll(false));
    }

    choose(changes) {
      Object.assign(this.chosen, changes);
      this.build();
    }

    current() {
      if (this.data.sweep) return ofSweep(this.data, this.chosen);
      const choice = this.data.choices[this.chosen.choice];
      return { series: this.data.psi ? [...choice.series, psi()] : choice.series, x: this.data.x, y: choice.y || choice.label, words: null, zero: this.data.zero };
    }

    /** Makes the chart anew: of other data, or on other axes. */
    build() {
      const now = (this.now = this.current());
      if (this.heldLists) this.heldLists.forEach((l, k) => (l.parentElement.hidden = k === this.chosen.x || k === this.chosen.lines));
      for (const axis of ["x", "y"]) {
        const some = now.series.some((s) => s[axis].some((v) => v > 0)) && !(axis === "x" && (now.words || this.data.whole));
        this.logBox[axis].disabled = !some;
        if (!some) this.logBox[axis].checked = this.log[axis] = false;
      }
      if (this.chart) this.chart.destroy();
      this.chart = new Chart(this.canvas, this.config());
      this.canvas.setAttribute("aria-label", this.root.querySelector("figcaption").textContent + ": " + now.y + " over " + now.x + ". " + now.series.length
        + " series. Arrows move, plus and minus zoom, 0 shows all, comma and full stop go from point to point.");
      this.drawLegend();
      this.at = null;
      this.readout.textContent = "";
      this.root.dataset.drawn = String(now.series.reduce((n, s) => n + s.y.filter((v) => v !== null).length, 0));
    }

    dataset(s) {
      const bad = (v, axis) => v === null || v === undefined || (this.log[axis] && v <= 0);
      const points = s.x.map((x, i) => ({ x: bad(x, "x") ? NaN : x, y: bad(s.y[i], "y") || bad(x, "x") ? NaN : s.y[i], e: s.e ? s.e[i] : 0, label: s.label && s.label[i] }));
      const line = s.kind !== "marker";
      return {
        label: s.name, data: points, hidden: this.off.has(s.name), showLine: line || Boolean(s.join), kind: s.kind,
        borderColor: s.color, backgroundColor: line ? s.color : "#ffffff", borderWidth: s.kind === "line" ? 2 : 1,
        borderDash: s.kind === "thin" ? [2, 3] : line ? DASHES[s.dash] : [], pointStyle: SHAPES[s.shape][0], pointRotation: SHAPES[s.shape][1],
        pointRadius: line ? 0 : points.length > 80 ? 2 : 4, pointHoverRadius: line ? 3 : 6, pointBorderColor: s.color, pointBorderWidth: 1.5, pointHitRadius: 6,
      };
    }

    /** What an axis must hold of the series that are on. */
    extent(axis) {
      let low = Infinity, high = -Infinity;
      for (const s of this.now.series) {
        if (this.off.has(s.name)) continue;
        s[axis].forEach((v, i) => {
          if (v === null || s.y[i] === null || (this.log[axis] && v <= 0)) return;
          const e = axis === "y" && s.e && s.e[i] ? s.e[i] : 0;
          low = Math.min(low, this.log[axis] && v - e <= 0 ? v / 3 : v - e);
          high = Math.max(high, v + e);
        });
      }
      if (!(low <= high)) return [undefined, undefined];
      if (high - low < 1e-6 * Math.abs(low)) return [low - 0.1 * Math.abs(low), high + 0.1 * Math.abs(high)];  // no axis of rounding errors
      if (axis === "y" && this.data.edges) return [Math.min(low, -1.2), Math.max(high, 1.2)];
      return [low, high];
    }

    scale(axis, title) {
      const [low, high] = this.extent(axis), words = axis === "x" && this.now.words;
      const scale = {
        type: this.log[axis] ? "logarithmic" : "linear", title: { display: true, text: title, color: INK }, grid: { color: GRID, borderColor: SOFT },
        ticks: { color: SOFT, maxRotation: 45, autoSkip: true }, suggestedMin: low, suggestedMax: high,
      };
      if (this.log[axis]) scale.ticks.callback = logTick;
      if (axis === "x" && low !== undefined && !this.log.x) {
        const pad = words || this.data.whole ? 0.5 : 0.02 * (high - low);
        scale.min = low - pad;
        scale.max = high + pad;
        scale.ticks.includeBounds = false;
        scale.ticks.callback = (v) => (words ? words[v] ?? "" : shown(v));
        if (words) scale.ticks.stepSize = 1;
      } else if (axis === "x" && low !== undefined) {
        scale.min = low / 1.1;
        scale.max = high * 1.1;
      }
      return scale;
    }

    config() {
      const figure = this;
      return {
        type: "scatter", data: { datasets: this.now.series.map((s) => this.dataset(s)) }, plugins: [intervals(this)],
        options: {
          responsive: true, maintainAspectRatio: false, animation: false, parsing: false,
          interaction: { mode: "nearest", intersect: false, axis: "xy" },
          scales: { x: this.scale("x", this.now.x), y: this.scale("y", this.now.y) },
          plugins: {
            legend: { display: false },
            tooltip: { callbacks: { title: () => "", label: (item) => figure.lines(item.dataset, item.raw) } },
          },
        },
      };
    }

    lines(dataset, point) {
      const words = this.now.words, x = words ? words[point.x] : shown(point.x);
      const value = shown(point.y) + (point.e ? " \u00b1 " + shown(Number(point.e.toPrecision(2))) : "");
      return (point.label ? [point.label] : [dataset.label]).concat((point.label ? dataset.label + ": " : "at " + x + ": ") + value);
    }

    // ---- series on and off

    drawLegend() {
      this.legend.replaceChildren(...this.now.series.map((s, i) => {
        const swatch = element("canvas", { width: "36", height: "16", "aria-hidden": "true" }), ctx = swatch.getContext("2d");
        const d = this.chart.data.datasets[i];
        ctx.strokeStyle = s.color;
        ctx.lineWidth = d.borderWidth;
        if (d.showLine) {
          ctx.setLineDash(d.borderDash);
          ctx.beginPath();
          ctx.moveTo(2, 8);
          ctx.lineTo(34, 8);
          ctx.stroke();
          ctx.setLineDash([]);
        }
        if (s.kind === "marker") {
          ctx.fillStyle = "#ffffff";
          Chart.helpers.drawPoint(ctx, { pointStyle: d.pointStyle, rotation: d.pointRotation, radius: 5, borderWidth: 1.5 }, 18, 8);
        }
        const button = element("button", { type: "button", "aria-pressed": String(!this.off.has(s.name)) }, swatch, s.name);
        button.addEventListener("click", () => {
          if (this.off.has(s.name)) this.off.delete(s.name);
          else this.off.add(s.name);
          this.toggled();
        });
        return button;
      }));
    }

    toggleAll(on) {
      this.off = new Set(on ? [] : this.now.series.map((s) => s.name));
      this.toggled();
    }

    toggled() {
      this.now.series.forEach((s, i) => {
        this.chart.setDatasetVisibility(i, !this.off.has(s.name));
        this.legend.children[i].setAttribute("aria-pressed", String(!this.off.has(s.name)));
      });
      const y = this.chart.options.scales.y;
      [y.suggestedMin, y.suggestedMax] = this.extent("y");
      this.chart.update();
    }

    // ---- zoom

    limit(axis, low, high) {
      const scale = this.chart.options.scales[axis];
      scale.min = low;
      scale.max = high;
    }

    /** Ends of an axis in the coordinate in which it is drawn. */
    ends(axis) {
      const scale = this.chart.scales[axis];
      return this.log[axis] ? [Math.log(scale.min), Math.log(scale.max)] : [scale.min, scale.max];
    }

    set(axis, low, high) {
      if (this.log[axis]) [low, high] = [Math.exp(low), Math.exp(high)];
      if (high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high))) this.limit(axis, low, high);
    }

    zoom(factor) {
      for (const axis of ["x", "y"]) {
        const [a, b] = this.ends(axis), middle = (a + b) / 2, half = ((b - a) / 2) * factor;
        this.set(axis, middle - half, middle + half);
      }
      this.chart.update();
    }

    pan(dx, dy) {
      for (const [axis, by] of [["x", dx], ["y", dy]]) {
        const [a, b] = this.ends(axis);
        if (by) this.set(axis, a + by * (b - a), b + by * (b - a));
      }
      this.chart.update();
    }

    reset() {
      this.chart.options.scales = { x: this.scale("x", this.now.x), y: this.scale("y", this.now.y) };
      this.chart.update();
    }

    // ---- mouse, touch, keyboard

    listen() {
      const box = element("div", { class: "zooming" });
      let from = null;
      const place = (event) => {
        const r = this.canvas.getBoundingClientRect(), a = this.chart.chartArea;
        return [Math.min(a.right, Math.max(a.left, event.clientX - r.left)), Math.min(a.bottom, Math.max(a.top, event.clientY - r.top))];
      };
      const region = (to) => {  // narrow ones are of one axis
        const a = this.chart.chartArea, wide = Math.abs(to[0] - from[0]) > 12, tall = Math.abs(to[1] - from[1]) > 12;
        const x = wide ? [from[0], to[0]].sort((p, q) => p - q) : [a.left, a.right], y = tall ? [from[1], to[1]].sort((p, q) => p - q) : [a.top, a.bottom];
        return { x: x, y: y, wide: wide, tall: tall };
      };
      this.canvas.addEventListener("pointerdown", (event) => {
        if (event.button === 0) {
          from = place(event);
          this.canvas.setPointerCapture(event.pointerId);
        }
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (!from) return;
        const r = region(place(event));
        if (!r.wide && !r.tall) return box.remove();
        Object.assign(box.style, { left: r.x[0] + "px", top: r.y[0] + "px", width: r.x[1] - r.x[0] + "px", height: r.y[1] - r.y[0] + "px" });
        if (!box.isConnected) this.plot.append(box);
      });
      const ended = (event, take) => {
        if (!from) return;
        const r = region(place(event)), value = (axis, pixel) => this.chart.scales[axis].getValueForPixel(pixel);
        from = null;
        box.remove();
        if (!take || (!r.wide && !r.tall)) return;
        if (r.wide) this.limit("x", value("x", r.x[0]), value("x", r.x[1]));
        if (r.tall) this.limit("y", value("y", r.y[1]), value("y", r.y[0]));
        this.chart.update();
      };
      this.canvas.addEventListener("pointerup", (event) => ended(event, true));
      this.canvas.addEventListener("pointercancel", (event) => ended(event, false));
      this.canvas.addEventListener("dblclick", () => this.reset());
      const keys = {
        ArrowLeft: () => this.pan(-0.1, 0), ArrowRight: () => this.pan(0.1, 0), ArrowUp: () => this.pan(0, 0.1), ArrowDown: () => this.pan(0, -0.1),
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.reset(), ",": () => this.step(-1), ".": () => this.step(1),
      };
      this.canvas.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
        event.preventDefault();
        keys[event.key]();
      });
    }

    /** To the next point of the series that are on, read aloud. */
    step(by) {
      const places = [];
      this.chart.data.datasets.forEach((d, s) => {
        if (this.chart.isDatasetVisible(s)) d.data.forEach((p, i) => Number.isFinite(p.x) && Number.isFinite(p.y) && places.push([s, i]));
      });
      if (!places.length) return;
      this.at = this.at === null ? (by > 0 ? 0 : places.length - 1) : (this.at + by + places.length) % places.length;
      const [s, i] = places[Math.min(this.at, places.length - 1)], point = { datasetIndex: s, index: i }, d = this.chart.data.datasets[s];
      const where = this.chart.getDatasetMeta(s).data[i];
      this.chart.setActiveElements([point]);
      this.chart.tooltip.setActiveElements([point], { x: where.x, y: where.y });
      this.chart.update();
      this.readout.textContent = this.lines(d, d.data[i]).join(", ");
    }
  }

  const figures = JSON.parse(document.getElementById("figures").textContent);
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  window.reportFigures = [...document.querySelectorAll("figure[data-figure]")].map((root) => new Figure(root, figures[Number(root.dataset.figure)]));
})();
