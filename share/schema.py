"""What the figures need of a dataset, checked before anything is drawn: the number of its schema, its variables and what they are
over. A dataset that is damaged, or no dataset, is refused by name with what was expected."""

import contextlib
import json
import os

from figure_style import Problem

SCHEMA = 1  # the newest that is read; src/experiment/dataset_file.hpp has that which is written

TEXT, NUMBER = "text", "numbers"


@contextlib.contextmanager
def reading(path):
    """Errors of the netCDF library as a Problem with the file's name."""
    try:
        yield
    except (OSError, RuntimeError, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise Problem(f"{path}: cannot be read as netCDF-4 ({type(error).__name__}: {error}): it is damaged, or no dataset", 4)


def opened(path):
    """The file, open."""
    import netCDF4

    if not os.path.exists(path):
        raise Problem(f"{path}: no such file", 4)
    try:
        return netCDF4.Dataset(path)
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: not a netCDF-4 file ({error})", 4)


def described(path, attributes, attribute, kind):
    """The value of a JSON attribute, which is a `kind`."""
    text = attributes[attribute]
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        value = None
    if not isinstance(value, kind):
        raise Problem(f"{path}: attribute {attribute}: expected JSON, {'a list' if kind is list else 'an object'}, got {str(text)[:60]!r}", 2)
    return value


def check_schema(path, attributes):
    """Datasets before the first schema have no number, and are read."""
    number = attributes.get("schema", 0)
    try:
        number = int(number)
    except (TypeError, ValueError):
        raise Problem(f"{path}: attribute schema: expected a whole number, got {str(number)[:60]!r}", 2)
    if not 0 <= number <= SCHEMA:
        raise Problem(f"{path}: a dataset of schema {number} (of sde {attributes.get('sde_version', '?')}): this sde reads schemas up to "
                      f"{SCHEMA}: expected a newer sde, or a dataset of this one", 2)


class Checker:
    """Holds the variables of an open file to what is expected of them."""

    def __init__(self, path, data):
        self.path, self.data = path, data

    def fail(self, what):
        raise Problem(f"{self.path}: {what}: it is damaged, or not of sde run", 2)

    def over(self, name, dims, kind=NUMBER):
        """A variable that must be there."""
        wanted = f"expected {kind} over ({', '.join(dims)})"
        if name not in self.data.variables:
            self.fail(f"variable {name} is missing: {wanted}")
        variable = self.data.variables[name]
        if tuple(variable.dimensions) != tuple(dims):
            self.fail(f"variable {name}: {wanted}, got ({', '.join(variable.dimensions)})")
        if (variable.dtype == str) != (kind == TEXT) or (kind == NUMBER and getattr(variable.dtype, "kind", "O") not in "fiu"):
            self.fail(f"variable {name}: {wanted}, got {variable.dtype}")

    def with_error(self, name, dims):
        self.over(name, dims)
        self.over(name + "_se", dims)

    def sizes(self):
        """Runs, times, and the intervals between them."""
        size = {name: len(self.data.dimensions[name]) if name in self.data.dimensions else 0 for name in ("run", "time", "interval")}
        if size["run"] < 1 or size["time"] < 2 or size["interval"] != size["time"] - 1:
            self.fail(f"expected runs, two times or more, and an interval between any two, got run: {size['run']}, time: {size['time']}, "
                      f"interval: {size['interval']}")

    def names(self, attributes):
        """The observables."""
        names = described(self.path, attributes, "observables", list)
        if not names or not all(isinstance(n, str) for n in names):
            self.fail(f"attribute observables: expected names, got {names!r:.60}")
        return names


def check_run(path, data, attributes):
    """A dataset of one run."""
    check_schema(path, attributes)
    check = Checker(path, data)
    check.sizes()
    observables = check.names(attributes)
    for name in ("run", "group"):
        check.over(name, ("run",), TEXT)
    for name in ("discrete", "paths_lost"):
        check.over(name, ("run",))
    check.over("slow_time", ("run", "time"))
    check.over("interval_width", ("run", "interval"))
    for name in observables:
        check.with_error(name, ("run", "time"))
    if "component" in data.variables:
        check.over("component", ("component",), TEXT)
        for name in ("drift_1", "drift_2", "ito_normal", "diffusion"):
            check.over(name, ("run", "time", "component"))
        for name in ("drift_measured", "diffusion_measured"):
            check.with_error(name, ("run", "interval", "component"))
    if "pair_algorithm" in data.variables:
        check.over("pair_algorithm", ("pair",), TEXT)
        check.over("pair_slow_time", ("pair", "time"))
        for name in observables:
            if f"difference_{name}" in data.variables:
                check.with_error(f"difference_{name}", ("pair", "time"))
    if "keys" in attributes:
        for key, variable in described(path, attributes, "keys", dict).items():
            if variable not in data.variables:
                check.fail(f"attribute keys: {key} is said to be in variable {variable!r:.60}, which is missing")


def check_sweep(path, data, attributes):
    """A dataset of a sweep; returns what `sweep` says."""
    check_schema(path, attributes)
    check = Checker(path, data)
    about = described(path, attributes, "sweep", dict)
    keys = about.get("keys")
    if about.get("mode") not in ("zip", "product") or not isinstance(keys, list) or not keys or not all(
            isinstance(k, dict) and isinstance(k.get("label"), str) and isinstance(k.get("key"), str) for k in keys):
        check.fail(f"attribute sweep: expected a mode, zip or product, and keys with label and key, got {str(attributes['sweep'])[:60]!r}")
    if "observables" not in attributes:
        check.fail("attribute observables is missing")
    labels = tuple(k["label"] for k in keys)
    cells = ("cell",) if about["mode"] == "zip" else labels
    for label in labels:
        if label not in data.variables:
            check.fail(f"variable {label} is missing: expected the values of a swept key")
        kind = TEXT if data.variables[label].dtype == str else NUMBER
        check.over(label, ("cell",) if about["mode"] == "zip" else (label,), kind)
        if data.variables[label].size < 1:
            check.fail(f"variable {label}: expected a value or more")
    check.sizes()
    for name in ("run", "group"):
        check.over(name, ("run",), TEXT)
    check.over("discrete", ("run",))
    for name in check.names(attributes):
        check.with_error(name, (*cells, "run", "time"))
        if f"difference_{name}" in data.variables:
            check.with_error(f"difference_{name}", (*cells, "pair", "time"))
            for pair in ("pair_algorithm", "pair_theory"):
                check.over(pair, ("pair",), TEXT)
    if "failure" in data.variables:
        check.over("failure", (*cells, "run"), TEXT)
    return about
