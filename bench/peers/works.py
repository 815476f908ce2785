"""The works that every peer does, in numbers: the same as src/bench/works.cpp (`sde bench`), which also hands over the
networks' data and starting points. All slow SDEs: K = B = 8, alpha = 0.4, dt = 0.005, 64 steps; all of Local SGD:
K = B = 8, H = 20, eta = 0.01, 100 local steps.

linear          dX = 1.5 X dt + 0.01 X dW, three components, 256 steps to t = 1, X(0) = 1; mean of X
ring_sde        Local SGD's slow SDE on the ring a = 0.5 under constant noise, from (0, 1); mean of y
valley_sde      the same on the valley h = 1 + u^2, noise of standard deviations 0.5 and 1.4, from u = 0.8; mean of u
hyperbola_sde   the same on the hyperbola under the ring's noise and label noise of variance 1, from (2, 1/2); mean of x
sphere_sde      the same on the sphere, d = 10, isotropic noise of standard deviation 0.5, from a pole; mean of x_1
diagonal_sde    the same on the diagonal network, d = 40, n = 20, label noise: an ODE; tr Hess at the end
ring_sgd        Local SGD on the ring from (0, 1); mean of y
hyperbola_sgd   the same on the hyperbola under label noise, from (2, 1/2); mean of x
diagonal_sgd    the same on the diagonal network, one of the n samples with a perturbed label a step; mean of the loss
tanh_sgd        the same on the two-layer tanh network, 4 inputs, 10 neurons, n = 16; mean of the loss
perceptron_sgd  SGD on a perceptron 64-64-10 with tanh and cross-entropy, 32 of 1,024 samples a step, eta = 0.1, 100 steps of 64
                paths (seeds); mean of the loss of all samples
ring_flow       Phi of points about (0, 1), by the gradient flow to errors of 1e-9; mean of x
diagonal_flow   the same on the diagonal network about its start; mean of u_1
diagonal_terms  the slow SDE's drift at one point of the diagonal network's manifold; its first component
"""

import math
from dataclasses import dataclass, replace

A = 0.5
FACTOR = ((0.5, -0.1), (1.0, 0.6))  # rows; gradient noise is FACTOR @ normals
SIGMA = [[sum(FACTOR[i][k] * FACTOR[j][k] for k in range(2)) for j in range(2)] for i in range(2)]
VALLEY_SIGMA = (0.5, 1.4)
SPHERE_D, SPHERE_SIGMA = 10, 0.5
K = B = 8
H, ETA, LOCAL_STEPS = 20, 0.01, 100
ALPHA, DT, SLOW_STEPS = 0.4, 0.005, 64
LINEAR_STEPS = 256
PERCEPTRON_STEPS, PERCEPTRON_BATCH, PERCEPTRON_ETA = 100, 32, 0.1
FLOW_OFFSET, FLOW_TOLERANCE = 0.02, 1e-9
FLOW_POLISH = 1e-5  # distance to the manifold, over 1 + |x|, from which Newton's method goes on instead of the flow


@dataclass(frozen=True)
class Work:
    name: str  # as `sde bench` calls it
    runs: int  # paths or points of one run
    steps: int  # counted for each path: path-steps, or steps of all workers; 1 for points
    unit: str = "steps"
    tolerance: tuple[float, float] | None = None  # of works without random numbers, absolute, in double and in float


DIAGONAL = "diagonal network d = 40, n = 20"
LOCAL = K * LOCAL_STEPS
WORKS = {
    "linear": Work("linear SDE", 131072, LINEAR_STEPS),
    "ring_sde": Work("slow SDE, ring", 131072, SLOW_STEPS),
    "valley_sde": Work("slow SDE, valley", 131072, SLOW_STEPS),
    "hyperbola_sde": Work("slow SDE, hyperbola, constant noise", 131072, SLOW_STEPS),
    "sphere_sde": Work("slow SDE, sphere d = 10", 65536, SLOW_STEPS),
    "diagonal_sde": Work(f"slow SDE, {DIAGONAL}", 1024, SLOW_STEPS, tolerance=(1e-7, 1e-4)),
    "ring_sgd": Work("Local SGD (K = 8, H = 20), ring", 16384, LOCAL),
    "hyperbola_sgd": Work("Local SGD (K = 8, H = 20), hyperbola", 16384, LOCAL),
    "diagonal_sgd": Work(f"Local SGD (K = 8, H = 20), {DIAGONAL}", 8192, LOCAL),
    "tanh_sgd": Work("Local SGD (K = 8, H = 20), tanh network d = 50, n = 16", 4096, LOCAL),
    "perceptron_sgd": Work("SGD, perceptron 64-64-10, batch 32", 64, PERCEPTRON_STEPS),
    "ring_flow": Work("flow map, ring", 4096, 1, "points", tolerance=(1e-8, 1e-8)),
    "diagonal_flow": Work(f"flow map, {DIAGONAL}", 32, 1, "points", tolerance=(1e-8, 1e-8)),
    "diagonal_terms": Work(f"slow-SDE terms, {DIAGONAL}", 8192, 1, "points", tolerance=(1e-10, 1e-4)),
}

# Closed forms (theory.md section 7) and how far the 64 steps may be from them.
TIME = DT * SLOW_STEPS
KNOWN = {"linear": ((1 + 1.5 / LINEAR_STEPS) ** LINEAR_STEPS, 0),
         "sphere_sde": (math.exp(-(SPHERE_D - 1) * SPHERE_SIGMA**2 * TIME / (2 * B)), 1e-4)}


gpu = False  # PyTorch and JAX run on their CUDA device, on whole arrays


def use_gpu(factor=16):
    """From here on: more paths, so that a GPU is busy. To be called before the peers are imported."""
    global gpu
    gpu = True
    for name, work in WORKS.items():
        if work.unit == "steps":
            WORKS[name] = replace(work, runs=work.runs * factor)


def counted(work):
    """Steps or points of one run."""
    return WORKS[work].runs * WORKS[work].steps
