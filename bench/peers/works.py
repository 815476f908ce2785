"""The works that every peer does, in numbers: the same as src/bench/works.cpp (`sde bench`).

linear     dX = 1.5 X dt + 0.01 X dW, three components, 256 steps to t = 1, X(0) = 1; mean of X
ring_sde   slow SDE of Local SGD on the ring a = 0.5 in its closed form for the angle (theory.md section 7), K = B = 8,
           alpha = 0.4, dt = 0.005, 64 steps from pi/2; mean of sin(angle)
ring_sgd   Local SGD on the ring, K = B = 8, H = 20, eta = 0.01, 100 local steps from (0, 1); mean of y
hyperbola_sgd  the same on the hyperbola under Gaussian label noise of variance 1, from (2, 1/2); mean of x
"""

A = 0.5
FACTOR = ((0.5, -0.1), (1.0, 0.6))  # rows; gradient noise is FACTOR @ normals
SIGMA = [[sum(FACTOR[i][k] * FACTOR[j][k] for k in range(2)) for j in range(2)] for i in range(2)]
K = B = 8
H, ETA, LOCAL_STEPS = 20, 0.01, 100
ALPHA, DT, SLOW_STEPS = 0.4, 0.005, 64
LINEAR_STEPS = 256

PATHS = {"linear": 131072, "ring_sde": 131072, "ring_sgd": 16384, "hyperbola_sgd": 16384}


def steps(work):
    """Path-steps (linear, ring_sde) or worker-steps (Local SGD) of one run."""
    per_path = {"linear": LINEAR_STEPS, "ring_sde": SLOW_STEPS, "ring_sgd": K * LOCAL_STEPS, "hyperbola_sgd": K * LOCAL_STEPS}
    return PATHS[work] * per_path[work]
