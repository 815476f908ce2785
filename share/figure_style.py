"""What the figures share: colours, markers, 95% bands, text, saving."""

import collections
import os
import re
import sys
import warnings

# Okabe and Ito's palette: told apart by colour-blind readers; markers and dashes tell it apart in grey print.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = [(), (6, 2), (2, 1.5), (7, 2, 1.5, 2), (4, 1.5, 1, 1.5, 1, 1.5), (9, 3), (1, 1)]
Z = 1.959964  # 95%


def exit_code(draw, command="sde plot", needs="matplotlib and netCDF4"):
    """Runs draw(); says on standard error what went wrong, as `command`, and gives the exit code for it."""
    try:
        draw()
    except Problem as problem:
        print(f"{command}: {problem}", file=sys.stderr)
        return problem.code
    except ImportError as error:
        print(f"{command}: {error}: expected Python with {needs} ($SDE_PYTHON names another)", file=sys.stderr)
        return 4
    return 0


Style = collections.namedtuple("Style", "color marker dashes")


def styles_of(names):
    """A style for each name. Beyond seven the same colour comes with another marker and dash."""
    return {g: Style(COLORS[i % 7], MARKERS[(i + i // 7) % 7], DASHES[(i + 2 * (i // 7)) % 7]) for i, g in enumerate(names)}


def plain(text, most):
    """One line of a user's text, cut to `most` characters: without control characters, which no SVG may have."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."


def typeset_component(name):
    """x12 with its index, as mathematics."""
    return re.sub(r"^x(\d+)$", r"$x_{\1}$", name)


def typeset(polynomial):
    """x1^2 - 0.5*x1*x2 as mathematics; a text that is no polynomial as it is."""
    if not re.fullmatch(r"[-+*^.\deEx\s]+", polynomial):
        return polynomial
    text = re.sub(r"(\d)[eE]([-+]?)0*(\d+)", lambda m: rf"{m[1]}\cdot 10^{{{m[2].strip('+')}{m[3]}}}", polynomial)
    text = re.sub(r"x(\d+)", r"x_{\1}", text)
    text = re.sub(r"\^(\d+)", r"^{\1}", text)
    return "$" + text.replace("*", r"\,") + "$"


class Problem(Exception):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def pyplot():
    import matplotlib

    matplotlib.use("Agg")
    warnings.filterwarnings("ignore", message="Glyph")  # a title in a script that the font has not: boxes in its place
    matplotlib.rcParams.update({
        "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
        "axes.titlesize": 10, "lines.linewidth": 1.5, "legend.frameon": False, "legend.fontsize": 8.5})
    import matplotlib.pyplot as plt

    return plt


def parse_formats(text):
    formats = [f for f in text.split(",") if f]
    unknown = [f for f in formats if f not in ("png", "svg", "pdf")]
    if unknown:
        raise Problem(f"--formats {unknown[0]}: expected png, svg or pdf", 2)
    return formats


def save(figure, prefix, formats):
    """PREFIX.FORMAT, complete or not at all."""
    for ending in formats:
        temporary, final = f"{prefix}.{os.getpid()}.part", f"{prefix}.{ending}"
        try:
            figure.savefig(temporary, format=ending, metadata={"Date": None} if ending == "svg" else None)
            os.replace(temporary, final)
        except OSError as error:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise Problem(f"{final}: cannot be written ({error.strerror})", 4)
