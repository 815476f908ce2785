"""Results for the tests of `sde report`: runs, a sweep, verdicts, with hostile texts."""

import gzip
import json
import os
import subprocess

import netCDF4

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data")
HOSTILE = "<script>window.hostile = 1</script><img src=x onerror='window.hostile = 1'>\" ' & </title> </script> \u2028 $x$"
RUN = """
title = %s
[experiment]
paths = 64
pairs = 32
time = 1.0
observations = 8
observe = ["x1"]
[loss]
name = "ring"
[noise]
kind = "gaussian"
covariance = [1, 0.3, 0.3, 0.5]
[training]
eta = 0.02
workers = 4
batch = 4
[[method]]
kind = "local_sgd"
H = 10
name = %s
[[method]]
kind = "slow_local_sgd"
H = 10
dt = 0.02
[[method]]
kind = "sgd"
"""


def committed(name, path, change=None):
    """A copy of a dataset of tests/data; `change` damages it, or makes it another one."""
    sound = path + ".sound" if change else path
    with gzip.open(os.path.join(DATA, name + ".gz")) as packed, open(sound, "wb") as file:
        file.write(packed.read())
    if change:
        with netCDF4.Dataset(sound) as a, netCDF4.Dataset(path, "w") as b:
            for n, d in a.dimensions.items():
                b.createDimension(n, len(d))
            for n, v in a.variables.items():
                w = b.createVariable(n, v.dtype, v.dimensions)
                w.setncatts({k: v.getncattr(k) for k in v.ncattrs() if k != "_FillValue"})
                w[...] = v[...]
            b.setncatts({k: a.getncattr(k) for k in a.ncattrs()})
            change(b)
        os.remove(sound)
    return path


def run(sde, folder, name, title, method, *more):
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, name + ".toml")
    with open(file, "w") as stream:
        stream.write(RUN % (json.dumps(title), json.dumps(method)))
    done = subprocess.run([sde, "run", file, "--out", folder, "--no-figure", "--quiet", "--threads", "1", *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return os.path.join(folder, name + ".nc")


def row(claim, verdict, control=False, **more):
    return {"claim": claim, "loss": "ring", "quantity": "drift / slow SDE's", "measured": 1.02, "predicted": 1.0, "difference": 0.02,
            "difference_interval": [0.01, 0.03], "standard_error": 0.005, "margin": [-0.05, 0.05], "time_step_error": None, "lost": 0, "worst_of": 2,
            "control": control, "gradients": 1e6, "verdict": verdict, "gradients_that_suffice": 0, **more}


def verdicts(title="Claims"):
    """What a verify.json has: one-sided margins and numbers that are none are null."""
    points = [{"series": f"ring: {name}", "x": eta, "y": scale * eta, "standard_error": 0.05 * eta} for name, scale in (("slow SDE", 1), (HOSTILE, 2))
              for eta in (0.01, 0.02, 0.04)]
    return {"budget": "quick", "seed": 1, "margin_factor": 1, "eta_factor": 1, "family_level": 0.05, "gradients": 4e6, "seconds": 2.5, "agrees": 2,
            "disagrees": 1, "inconclusive": 1, "controls_rejected": 1, "controls_not_rejected": 0, "controls_undecided": 0,
            "claims": [{"claim": 4, "title": "Weak error " + title, "source": "theorem", "measured": "", "margin": "order", "points": points,
                        "notes": ["a note " + HOSTILE], "seconds": 1}],
            "rows": [row(4, "agrees"), row(4, "agrees", quantity="order", margin=[-0.25, None], difference=0.9, difference_interval=[0.5, 1.3]),
                     row(4, "disagrees", quantity=HOSTILE, difference=0.2, difference_interval=[0.1, 0.3]),
                     row(4, "inconclusive", measured=None, difference=None, difference_interval=[None, None]), row(4, "rejected", control=True, difference=-0.5), row(4, "rejected", control=True, difference=1e-6)],
            "cells": [], "not_measured": [{"loss": "flat", "reason": "no drift", "claim": 2}],
            "wrong_terms": [{"method": "m", "terms": [{"term": "drift-II", "has": 2, "measured": 1.08, "standard_error": 0.04, "alone": 1.0,
                                                       "alone_standard_error": 0.01, "wrong": True}]}]}


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as stream:
        json.dump(value, stream)
    return path


def results(sde, folder):
    """A folder with one of each; returns it."""
    run(sde, folder, "hostile", HOSTILE, "Local <b>SGD</b>")
    run(sde, os.path.join(folder, "below"), "plain", "Second run", "Local SGD, own", "--set", "training.eta=0.01")
    run(sde, folder, "grid", "A sweep", "Local SGD, swept", "--sweep", "training.eta=0.01,0.02,0.04", "--sweep", "method.0.H=5,10")
    write_json(os.path.join(folder, "verify", "verify.json"), verdicts(HOSTILE))
    return folder
