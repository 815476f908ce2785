"""One picture: how much more than SGD's a communication pattern's drift is, by alpha lambda. Usage: weights.py SDE_BINARY

w(lambda, lambda) over SGD's at the same effective learning rate and batch, from `sde terms --method`, against alpha lambda =
H eta lambda (of gossip: eta lambda over the spectral gap). Writes weights.png beside itself."""

import json
import math
import os
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SDE = sys.argv[1]
ETA = 0.002


def over_sgd(lam, method, workers, **keys):
    """The ratio at the eigenvalue lam: that of the valley exp(c x) y^2 / 2 at x = log(lam)."""
    options = [f"--method-param={k}={v}" for k, v in keys.items()]
    run = subprocess.run([SDE, "terms", "--loss", "valley", "--param", "profile=exponential", "--param", "c=1", f"--at={math.log(lam)},0",
                          "--noise", "gaussian", "--workers", str(workers), "--method", method, "--json", *options],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["method"]["over_sgd"][0][0]


fig, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
grid = [10 ** (k / 8) for k in range(-16, 13)]
H, K = 50, 16
for label, method, keys in [
        ("Local SGD (1 + 15 psi(2 alpha lambda))", "local_sgd", {}),
        ("DiLoCo, gamma 1, mu 0.5", "diloco", {"gamma": 1, "mu": 0.5}),
        ("DiLoCo, gamma 0.7, mu 0.6", "diloco", {"gamma": 0.7, "mu": 0.6}),
        ("DiLoCo, gamma 0.7, mu 0.9", "diloco", {"gamma": 0.7, "mu": 0.9})]:
    at = [x for x in grid if x < 0.9 * H]  # eta lambda below the table's end
    panels[0].semilogx(at, [over_sgd(x / (H * ETA), method, K, eta=ETA, H=H, **keys) for x in at], label=label)
panels[0].set_xlabel("alpha lambda (eta H lambda)")
panels[0].set_ylabel("w(lambda, lambda) over SGD's")
panels[0].set_title(f"rounds, K = {K}, H = {H}")
for workers in (4, 8, 16, 32, 64):
    gap = 2 / 3 * (1 - math.cos(2 * math.pi / workers))
    at = [x for x in grid if x * gap < 0.3]
    panels[1].semilogx(at, [over_sgd(x * gap / ETA, "gossip", workers, eta=ETA) for x in at], label=f"ring of {workers}, gap {gap:.2g}")
panels[1].set_xlabel("eta lambda over the spectral gap")
panels[1].set_title("gossip")
for panel in panels:
    panel.legend(frameon=False, fontsize=8)
    panel.set_yscale("log")
fig.tight_layout()
fig.savefig(os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights.png"), dpi=110)
