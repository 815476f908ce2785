"""Datasets of `sde run` for the figure: loading, labels, and the runs to draw."""

import json
import os

from figure_style import Problem, plain
from schema import check_run, opened, reading


class Dataset:
    """One file: variables (`v`), attributes (`a`) and long names by name, and what it is called in the figure."""

    def __init__(self, path):
        import numpy as np

        def values(variable):
            found = variable[...]
            if variable.dtype == str or not np.ma.isMaskedArray(found):
                return found
            return np.ma.filled(found.astype(float) if found.mask.any() else found, np.nan)

        with opened(path) as data, reading(path):
            self.a = {n: data.getncattr(n) for n in data.ncattrs()}
            if "observables" not in self.a:
                raise Problem(f"{path}: not a dataset of sde run (no attribute 'observables')", 2)
            check_run(path, data, self.a)
            self.v = {n: values(v) for n, v in data.variables.items()}
            self.names = {n: str(getattr(v, "long_name", n)) for n, v in data.variables.items()}
            self.of_runs = [n for n, v in data.variables.items() if v.dimensions[:1] == ("run",)]
        self.path = os.path.abspath(path)
        self.label = os.path.splitext(os.path.basename(path))[0]

    def observables(self):
        return json.loads(self.a["observables"])

    def components(self):
        return [str(c) for c in self.v["component"]] if "component" in self.v else []

    def same_run(self, m, other, k):
        """Whether run m here and run k of another dataset have the same numbers."""
        import numpy as np

        if set(self.of_runs) != set(other.of_runs):
            return False
        pairs = ((np.asarray(self.v[n][m]), np.asarray(other.v[n][k])) for n in self.of_runs)
        return all(a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


class Run:
    """One run of a dataset, and the entry of the legend that it belongs to."""

    def __init__(self, data, m, group):
        self.data, self.m, self.group = data, m, group
        self.discrete = bool(data.v["discrete"][m])
        self.lost = int(data.v["paths_lost"][m])

    def __getitem__(self, variable):
        return self.data.v[variable][self.m]

    def pairs(self):
        """Its differences from its slow SDEs, in the style of the run; of several the first."""
        algorithms = [str(name) for name in self.data.v.get("pair_algorithm", [])]
        name = str(self.data.v["run"][self.m])
        return [Pair(self.data, algorithms.index(name), self.group)] if name in algorithms else []


class Pair:
    """An algorithm less its slow SDE."""

    def __init__(self, data, number, group):
        self.data, self.number, self.group = data, number, group

    def __getitem__(self, variable):
        return self.data.v[variable][self.number]


def keys_apart(datasets):
    """A label for each dataset of the keys that have one value in each and tell all of them apart: "eta = 0.01"; None where
    there are no such keys."""

    def value(data, key):
        variable = json.loads(data.a.get("keys", "{}")).get(key)
        values = {f"{v:g}" if isinstance(v, float) else str(v) for v in (data.v[variable].tolist() if variable else [])}
        values -= {"", "nan"}
        return values.pop() if len(values) == 1 else None

    keys = json.loads(datasets[0].a.get("keys", "{}"))
    of_keys = {key: [value(d, key) for d in datasets] for key in keys}
    apart = {key: values for key, values in of_keys.items() if None not in values and len(set(values)) > 1}
    labels = [", ".join(f"{key} = {values[i]}" for key, values in apart.items()) for i in range(len(datasets))]
    return labels if apart and len(set(labels)) == len(labels) else None


def name_datasets(datasets, labels):
    """Labels as given; else files' names, those of one name with the keys, or the nearest folder, that tell them apart."""
    if labels:
        if len(labels) != len(datasets):
            raise Problem(f"--labels: expected {len(datasets)}, one for each dataset, got {len(labels)}", 2)
        for data, label in zip(datasets, labels):
            data.label = label
        return
    for name in {d.label for d in datasets}:
        alike = [d for d in datasets if d.label == name]
        if len({d.path for d in alike}) == 1:
            continue
        if own := keys_apart(alike):
            for data, text in zip(alike, own):
                data.label = text if len(alike) == len(datasets) else f"{name}, {text}"
            continue
        folders = [d.path.split(os.sep)[-2::-1] for d in alike]  # from the nearest on
        depth = min(len(f) for f in folders)
        tells = [k for k in range(depth) if len({f[k] for f in folders}) == len({d.path for d in alike})]
        for i, data in enumerate(alike):
            data.label = f"{name} ({folders[i][tells[0]] if tells else i + 1})"


def runs_of(datasets, labelled):
    """The runs to draw, those that several datasets have once. Entries of the legend begin with the dataset's label where
    there are several, or it was given (`labelled`); not where all of them have the same."""
    first = {}  # (dataset, run) -> the dataset and run with the same numbers that comes first
    for i, data in enumerate(datasets):
        for m, name in enumerate(data.v["run"]):
            same = (i, m)
            for j in range(i):
                k = next((k for k, other in enumerate(datasets[j].v["run"]) if other == name), None)
                if k is not None and data.same_run(m, datasets[j], k):
                    same = first[j, k]
                    break
            first[i, m] = same
    shared = set()  # groups whose runs are those of the first dataset everywhere
    for group in {str(g) for g in datasets[0].v["group"]}:
        here = [[first[i, m][0] == 0 for m, g in enumerate(d.v["group"]) if str(g) == group] for i, d in enumerate(datasets)]
        if all(h and all(h) for h in here):
            shared.add(group)
    runs = []
    for (i, m), origin in first.items():
        if (i, m) != origin:
            continue
        data = datasets[i]
        group = str(data.v["group"][m])
        prefix = f"{data.label}: " if labelled or (len(datasets) > 1 and group not in shared) else ""
        runs.append(Run(data, m, plain(prefix + group, 70)))
    return runs


def choose_component(datasets, wanted):
    """The component to draw: the one that was asked for, or the one of the first dataset with the largest predicted drift;
    None where none is recorded."""
    import numpy as np

    recorded = [d.components() for d in datasets]
    if wanted is not None:
        for names in recorded:
            if wanted not in names:
                raise Problem(f"--component {wanted}: expected one of {', '.join(names) or 'none: no component is recorded'}", 2)
        return wanted
    if not all(recorded):
        return None
    v = datasets[0].v
    size = np.nan_to_num(np.abs(v["drift_1"] + v["drift_2"])).max(axis=(0, 1))
    names = [c for c in recorded[0] if all(c in other for other in recorded)]
    return max(names, key=lambda c: size[recorded[0].index(c)], default=None)
