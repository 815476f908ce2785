"use strict";
// Bands, error bars, and lines at values that matter, drawn below Chart.js's own curves and points.
const intervals = (function () {
  const SOFT = "#5b6670";

  return function (figure) {
    function pixel(chart, value) {
      if (figure.log.y && value <= 0) return chart.chartArea.bottom + 10;
      return chart.scales.y.getPixelForValue(value);
    }
    function band(chart, points) {
      const ctx = chart.ctx, known = points.filter((p) => Number.isFinite(p.y) && Number.isFinite(p.x));
      if (known.length < 2) return;
      ctx.beginPath();
      known.forEach((p, i) => ctx[i ? "lineTo" : "moveTo"](chart.scales.x.getPixelForValue(p.x), pixel(chart, p.y + (p.e || 0))));
      known.reverse().forEach((p) => ctx.lineTo(chart.scales.x.getPixelForValue(p.x), pixel(chart, p.y - (p.e || 0))));
      ctx.closePath();
      ctx.fill();
    }
    function bars(chart, points) {
      const ctx = chart.ctx;
      ctx.beginPath();
      for (const p of points) {
        if (!Number.isFinite(p.y) || !Number.isFinite(p.x) || !p.e) continue;
        const x = chart.scales.x.getPixelForValue(p.x);
        ctx.moveTo(x, pixel(chart, p.y - p.e));
        ctx.lineTo(x, pixel(chart, p.y + p.e));
      }
      ctx.stroke();
    }
    return {
      id: "intervals",
      beforeDatasetsDraw(chart) {
        const ctx = chart.ctx, a = chart.chartArea;
        ctx.save();
        ctx.beginPath();
        ctx.rect(a.left, a.top, a.right - a.left, a.bottom - a.top);
        ctx.clip();
        for (const value of [...(figure.now.zero ? [0] : []), ...(figure.data.edges ? [-1, 0, 1] : [])]) {
          const y = pixel(chart, value);
          ctx.strokeStyle = SOFT;
          ctx.lineWidth = 1;
          ctx.setLineDash(value ? [6, 4] : []);
          ctx.beginPath();
          ctx.moveTo(a.left, y);
          ctx.lineTo(a.right, y);
          ctx.stroke();
        }
        ctx.setLineDash([]);
        chart.data.datasets.forEach((d, i) => {
          if (!chart.isDatasetVisible(i) || !d.data.some((p) => p.e)) return;
          ctx.fillStyle = ctx.strokeStyle = d.borderColor;
          ctx.lineWidth = 1.5;
          ctx.globalAlpha = d.kind === "marker" ? 1 : 0.16;
          if (d.kind === "marker") bars(chart, d.data);
          else band(chart, d.data);
          ctx.globalAlpha = 1;
        });
        ctx.restore();
      },
    };
  };
})();
