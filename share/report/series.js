"use strict";
// What is drawn: series of {name, color, shape, dash, kind, x, y, e?, label?}, of the page's data.
const Series = (function () {
  function shown(v) {
    if (v === null || v === undefined || !Number.isFinite(v)) return "";
    const text = v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(5).replace(/\.?0+e/, "e") : String(Number(v.toPrecision(6)));
    return text.replaceAll("-", "\u2212");
  }

  function psi() {
    const x = [], y = [];
    for (let i = 0; i <= 200; ++i) {
      const v = Math.pow(10, -2 + i / 50);
      x.push(v);
      y.push((Math.expm1(-v) + v) / v);
    }
    return { name: "\u03c8", color: "#000000", shape: 0, dash: 1, kind: "line", x: x, y: y };
  }

  /** The series of a sweep: an observable at the end against a key, a colour for each value of another. */
  function ofSweep(data, chosen) {
    const s = data.sweep, o = s.observables[chosen.observable], members = o.pair ? s.pairs : s.runs;
    const sizes = s.zip ? [s.keys[0].values.length] : s.keys.map((k) => k.values.length);
    const place = (index) => index.reduce((sum, i, k) => sum * sizes[k] + i, 0) * members.length;
    const xKey = s.keys[chosen.x], words = xKey.values.some((v) => typeof v === "string");
    const lines = !s.zip && chosen.lines >= 0 && chosen.lines !== chosen.x ? chosen.lines : -1;
    const series = [];
    members.forEach(function (member, m) {
      if (chosen.member >= 0 && chosen.member !== m) return;
      (lines >= 0 ? s.keys[lines].values : [null]).forEach(function (value, c) {
        const points = xKey.values.map(function (v, i) {
          const index = s.zip ? [i] : s.keys.map((_, k) => (k === chosen.x ? i : k === lines ? c : chosen.held[k]));
          const at = place(index) + m;
          return [words ? i : v, o.y[at], o.e[at]];
        }).sort((a, b) => a[0] - b[0]);
        series.push({
          name: member.name + (value === null ? "" : ", " + s.keys[lines].label + " = " + (typeof value === "number" ? shown(value) : value)),
          color: data.colors[(lines >= 0 ? c : member.shape) % 7], shape: member.shape, dash: member.shape, kind: member.kind, join: o.pair,
          x: points.map((p) => p[0]), y: points.map((p) => p[1]), e: points.map((p) => p[2]),
        });
      });
    });
    return { series: series, x: xKey.label, y: o.label, words: words ? xKey.values : null, zero: o.pair };
  }

  return { ofSweep, psi, shown };
})();
