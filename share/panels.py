"""The panels of the figure of `sde run`: each draws the runs on axes of its own. A new one goes into `panels_of`."""

import re

from figure_style import Z, typeset, typeset_component

POINTS, FEW, TOGETHER = 16, 5, 64  # markers: of a curve at most and at least, of all about

TITLES = {
    "trace_hessian": ("Sharpness tr Hess", "tr Hess"),
    "loss": ("Loss", r"$L(\theta)$"),
    "lambda_max": ("Largest Hessian eigenvalue", r"$\lambda_{\max}$"),
    "distance": (r"Distance to $\Gamma$", r"$|\theta - \Phi(\theta)|$"),
    "disagreement": ("Disagreement of the workers", "rms distance from the average"),
    "test_error": ("Test error", "test error"),
    "train_error": ("Training error", "training error"),
    "test_loss": ("Test loss", "test loss"),
    "test_accuracy": ("Test accuracy", "test accuracy"),
}


def thin(count, most, shift):
    """At most `most` of `count` places, the ends among them; the inner ones of different curves are shifted apart."""
    import numpy as np

    places = np.linspace(0, count - 1, min(count, most))
    if len(places) < count:
        places[1:-1] += shift * (places[1] - places[0])
    return np.unique(places.round().astype(int))


def pooled(at, width, mean, se, most, shift):
    """Neighbouring intervals joined to about `most`, weighted by their width: places, means and standard errors. Different
    curves join others, so that their places are apart. An interval without a mean (within a round that is longer, or after the
    last path was lost) is left out."""
    import numpy as np

    known = np.flatnonzero((width > 0) & np.isfinite(mean))
    n, size = len(known), max(1.0, len(known) / most)
    inner = ((np.arange(most + 1) + shift) * size).round()
    edges = np.unique([0, *inner[(inner >= size / 2) & (inner <= n - size / 2)], n]).astype(int)
    rows = []
    for g in [known[a:b] for a, b in zip(edges[:-1], edges[1:])]:
        w = width[g] / width[g].sum()
        rows.append(((w * at[g]).sum(), (w * mean[g]).sum(), np.sqrt(((w * np.nan_to_num(se[g])) ** 2).sum())))
    return np.array(rows).reshape(-1, 3).T


def largest(values):
    """The largest size of what is a number; 0 without any."""
    import numpy as np

    return float(np.nan_to_num(np.abs(values)).max(initial=0.0))


class Pen:
    """Draws curves in a group's style, and remembers what kinds of marks there are, for the legend."""

    def __init__(self, styles, runs):
        self.styles, self.used = styles, set()
        marked = list(dict.fromkeys(r.group for r in runs if r.discrete))
        self.points = max(FEW, min(POINTS, TOGETHER // max(1, len(marked))))
        self.thickness = 1.5 if len(marked) <= 4 else 0.8
        self.shift = {g: (i + 0.5) / len(marked) - 0.5 for i, g in enumerate(marked)}
        self.bands = max(1, sum(not r.discrete for r in runs))

    def line(self, ax, run, x, y):
        style = self.styles[run.group]
        ax.plot(x, y, color=style.color, dashes=style.dashes)
        self.used.add("line")

    def thin_line(self, ax, run, x, y):
        ax.plot(x, y, color=self.styles[run.group].color, lw=0.8, ls=":")
        self.used.add("dotted")

    def band(self, ax, run, x, low, high):
        """Fainter the more there are, between edges that stay."""
        color = self.styles[run.group].color
        ax.fill_between(x, low, high, color=color, alpha=min(0.22, 0.4 / self.bands), lw=0)
        ax.plot(x, low, x, high, color=color, lw=0.4, alpha=0.6)
        self.used.add("band")

    def markers(self, ax, run, x, y, error):
        style = self.styles[run.group]
        ax.errorbar(x, y, error, fmt=style.marker, ms=4.5, mfc="white", mec=style.color, ecolor=style.color, mew=1.2,
                    elinewidth=self.thickness, zorder=3)
        self.used.add("marker")


def observable_text(observable, runs):
    """Title and label of an observable: those of a polynomial are its formula."""
    name = runs[0].data.names[observable].split(" of Phi(theta)")[0]
    if power := re.fullmatch(r"tr diag\(Hess\)\^(\S+) at .*", name):
        own = rf"tr diag(Hess)$^{{{power[1]}}}$"
        return own, own
    own = typeset(name.split(", mean")[0])
    return TITLES.get(observable, (own + r" of $\Phi(\theta)$", own))


class ObservablePanel:
    def __init__(self, observable, runs):
        self.title, self.label = observable_text(observable, runs)
        self.observable, self.runs = observable, runs

    def draw(self, ax, pen):
        import numpy as np

        for run in self.runs:
            t, mean, se = run["slow_time"], run[self.observable], np.nan_to_num(run[self.observable + "_se"])
            if run.discrete:
                k = thin(len(t), pen.points, pen.shift[run.group])
                pen.markers(ax, run, t[k], mean[k], Z * se[k])
            else:
                pen.line(ax, run, t, mean)
                if se.max() > 0:
                    pen.band(ax, run, t, mean - Z * se, mean + Z * se)
        low, high = ax.get_ylim()
        if high - low < 1e-6 * abs(low):  # a control that does not move: no axis of rounding errors
            ax.set_ylim(0.5 * (low + high) * 0.9, 0.5 * (low + high) * 1.1)


class ComponentPanel:
    """Something predicted of one component, at the observations, beside something measured, between them."""

    def __init__(self, component, runs):
        self.component, self.runs = component, runs
        name = typeset_component(component)
        self.title, self.label = f"{self.what} of {name}", f"{self.what.lower()} of {name}, per slow time"

    def of(self, run, variable):
        return run[variable][:, run.data.components().index(self.component)]

    def measured(self, ax, pen, run, variable):
        """Draws it, pooled; returns the largest."""
        t = run["slow_time"]
        at, mean, se = pooled(0.5 * (t[1:] + t[:-1]), run["interval_width"], self.of(run, variable), self.of(run, variable + "_se"),
                              pen.points, pen.shift[run.group])
        pen.markers(ax, run, at, mean, Z * se)
        return largest(mean)


class DriftPanel(ComponentPanel):
    what = "Drift"

    def draw(self, ax, pen):
        for run in self.runs:
            if run.discrete:
                self.measured(ax, pen, run, "drift_measured")
                continue
            first, second, normal = (self.of(run, name) for name in ("drift_1", "drift_2", "ito_normal"))
            pen.line(ax, run, run["slow_time"], first + second + normal)
            if largest(second) > 0:
                pen.thin_line(ax, run, run["slow_time"], first + normal)


class DiffusionPanel(ComponentPanel):
    what = "Diffusion"

    def draw(self, ax, pen):
        predicted = measured = drift = 0.0
        for run in self.runs:
            drift = max(drift, largest(self.of(run, "drift_1") + self.of(run, "drift_2")))
            if run.discrete:
                measured = max(measured, self.measured(ax, pen, run, "diffusion_measured"))
            else:
                pen.line(ax, run, run["slow_time"], self.of(run, "diffusion"))
                predicted = max(predicted, largest(self.of(run, "diffusion")))
        if predicted == 0 and not all(run.discrete for run in self.runs):
            self.title += ": none predicted"
            top = max(measured * 1.6, 1e-12)
            ax.set_ylim(-0.12 * top, top)
            ax.text(0.98, 0.97, f"measured at most {measured:.2g}\n(the drift reaches {drift:.2g})", ha="right", va="top",
                    transform=ax.transAxes, fontsize=8.5)


class DifferencePanel:
    """Algorithm - slow SDE on common noise."""

    def __init__(self, observable, pairs):
        self.variable, self.pairs = "difference_" + observable, [p for p in pairs if "difference_" + observable in p.data.v]
        _, label = observable_text(observable, self.pairs) if self.pairs else ("", "")
        self.title, self.label = "Algorithm - slow SDE, same noise", f"difference of {label}"

    def draw(self, ax, pen):
        import numpy as np

        ax.axhline(0, color="0.35", lw=0.8)
        for pair in self.pairs:
            t, mean, se = pair["pair_slow_time"], pair[self.variable], np.nan_to_num(pair[self.variable + "_se"])
            known = np.flatnonzero(np.isfinite(t) & np.isfinite(mean))
            k = known[thin(len(known), pen.points, pen.shift[pair.group])]
            pen.markers(ax, pair, t[k], mean[k], Z * se[k])


def panels_of(runs, pairs, observable, component):
    """The panels of a figure, from left to right."""
    panels = [ObservablePanel(observable, runs)]
    powers = [name for name in runs[0].data.names if re.fullmatch(r"trace_diagonal_p[^_]+", name)]  # asked for beside tr Hess
    panels += [ObservablePanel(other, runs) for other in powers if other != observable and all(other in run.data.names for run in runs)]
    if "network" in runs[0].data.a:  # without Gamma: what there is to see is the test error beside the sharpness
        panels += [ObservablePanel(other, runs) for other in ("test_error", "loss") if other != observable]
    if component is not None:
        panels += [DriftPanel(component, runs), DiffusionPanel(component, runs)]
    difference = DifferencePanel(observable, pairs)
    return panels + [difference] if difference.pairs else panels
