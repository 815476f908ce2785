"""The slow SDE of the diagonal network under label noise of variance 1, and its drift alone. With s = u*u + v*v and the
eigenpairs (lam_a, q_a) of G = J J^T/n = 4/n X diag(s) X^T, label noise makes the whole drift

    -1/(2B) P_par D3L[Sigma_hat + (K-1) Psi_hat] = -2/(n B) P_par [u*D, v*D],
    D_k = sum_a (1 + (K-1) psi(2 alpha lam_a)) (q_a^T X)_k^2

(theory.md sections 3 and 4, the closed-form derivatives put in), where P_par = I - J^T (J J^T)^-1 J takes matrix-vector
products only. A step adds dt times the drift and returns to the manifold by Newton's method with the step's J."""

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_points, numpy_blocks, torch_blocks

BLOCK = 256
K, B, ALPHA = w.K, w.B, w.ALPHA
RETURNS = 4  # Newton steps; each gains three digits after moves of 1e-3


class Data:
    """Of both works: they have the same network and start."""

    def __init__(self, arrays):
        self.sde_runs, self.terms_runs = (w.WORKS[name].runs for name in ("diagonal_sde", "diagonal_terms"))
        network = arrays["diagonal_sde"]
        self.y = np.array(network["y"])
        self.n = len(self.y)
        self.X = np.array(network["X"]).reshape(self.n, -1)
        self.start = np.array(network["start"]).reshape(2, -1)


def batch_functions(xp, X, y, eigh):
    """drift(u, v), step(u, v) and trace(u, v) = tr Hess on arrays whose last axis is the features'."""
    n = len(y)

    def psi(x):
        return (xp.exp(-x) - 1 + x) / x

    def vector(matrix, b):
        return (matrix @ b[..., None])[..., 0]

    def transposed(matrix):
        return xp.swapaxes(matrix, -1, -2)

    def drift(u, v):
        """The drift of u and of v, and the function newton, which shares the eigenproblem."""
        lam, q = eigh(4 / n * (X * (u * u + v * v)[..., None, :]) @ X.T)
        qt = transposed(q)
        weights = 1 + (K - 1) * psi(2 * ALPHA * lam)
        D = -2 / (n * B) * xp.sum(weights[..., None] * (qt @ X) ** 2, -2)

        def newton(f):
            """J^T (J J^T)^-1 f"""
            s = 2 * (vector(q, vector(qt, f) / (n * lam)) @ X)
            return u * s, -v * s

        a, b = u * D, v * D
        na, nb = newton(2 * ((u * a - v * b) @ X.T))
        return a - na, b - nb, newton

    def step(u, v):
        a, b, newton = drift(u, v)
        u, v = u + w.DT * a, v + w.DT * b
        for _ in range(RETURNS):
            du, dv = newton((u * u - v * v) @ X.T - y)
            u, v = u - du, v - dv
        return u, v

    def trace(u, v):
        return 4 / n * ((u * u + v * v) @ xp.sum(X * X, 0))

    return drift, step, trace


def numpy_peers(arrays):
    data = Data(arrays)
    drift, step, trace = batch_functions(np, data.X, data.y, np.linalg.eigh)

    def run_sde(block, _):
        u, v = (np.tile(s, (block, 1)) for s in data.start)
        for _ in range(w.SLOW_STEPS):
            u, v = step(u, v)
        return trace(u, v)

    def run_terms(block, _):
        return drift(*(np.tile(s, (block, 1)) for s in data.start))[0][:, 0]

    return {"diagonal_sde": lambda: numpy_blocks(data.sde_runs, BLOCK, run_sde),
            "diagonal_terms": lambda: numpy_blocks(data.terms_runs, BLOCK, run_terms)}


def torch_peers(arrays, dtype_name):
    torch = import_torch()

    dtype = getattr(torch, dtype_name)
    data = Data(arrays)
    X, y = (torch.tensor(a, dtype=dtype) for a in (data.X, data.y))
    drift, step, trace = batch_functions(torch, X, y, torch.linalg.eigh)

    def start(block):
        return (s.repeat(block, 1) for s in torch.tensor(data.start, dtype=dtype))

    def run_sde(block, _):
        u, v = start(block)
        for _ in range(w.SLOW_STEPS):
            u, v = step(u, v)
        return trace(u, v)

    def run_terms(block, _):
        return drift(*start(block))[0][:, 0]

    return {"diagonal_sde": lambda: torch_blocks(data.sde_runs, BLOCK, run_sde),
            "diagonal_terms": lambda: torch_blocks(data.terms_runs, BLOCK, run_terms)}


def jax_peers(arrays, dtype_name):
    jax = import_jax()
    jnp = jax.numpy
    dtype = getattr(jnp, dtype_name)
    data = Data(arrays)
    drift, step, trace = batch_functions(jnp, *(jnp.asarray(a, dtype) for a in (data.X, data.y)), jnp.linalg.eigh)

    def run_sde(start):
        def one(state, _):
            return step(*state), None

        return trace(*jax.lax.scan(one, (start[0], start[1]), length=w.SLOW_STEPS)[0])

    def starts(runs):
        return np.broadcast_to(data.start, (runs, *data.start.shape)).astype(dtype_name)

    return {"diagonal_sde": jax_points(run_sde, starts(data.sde_runs)),
            "diagonal_terms": jax_points(lambda start: drift(start[0], start[1])[0][0], starts(data.terms_runs))}


def numba_peers(arrays):
    import numba as nb

    data = Data(arrays)
    X, y, n, p = data.X, data.y, data.n, data.X.shape[1]
    XT, squares = np.ascontiguousarray(X.T), (X * X).sum(axis=0)
    fast = nb.njit(fastmath=True)

    @fast
    def newton(u, v, lam, q, f):
        s = 2 * (XT @ (q @ ((f @ q) / (n * lam))))
        return u * s, -v * s

    @fast
    def drift(u, v):
        lam, q = np.linalg.eigh((4 / n * (X * (u * u + v * v))) @ XT)
        qx = q.T @ X
        D = np.zeros(p)
        for a in range(n):
            x = 2 * ALPHA * lam[a]
            D += (1 + (K - 1) * (np.exp(-x) - 1 + x) / x) * qx[a] ** 2
        D *= -2 / (n * B)
        a, b = u * D, v * D
        na, nb_ = newton(u, v, lam, q, 2 * (X @ (u * a - v * b)))
        return a - na, b - nb_, lam, q

    steps, dt, returns = w.SLOW_STEPS, w.DT, RETURNS
    sde_runs, terms_runs, start = data.sde_runs, data.terms_runs, data.start

    @nb.njit(parallel=True, fastmath=True)
    def run_sde():
        out = np.empty(sde_runs)
        for path in nb.prange(sde_runs):
            u, v = start[0].copy(), start[1].copy()
            for _ in range(steps):
                a, b, lam, q = drift(u, v)
                u0, v0 = u, v
                u, v = u + dt * a, v + dt * b
                for _ in range(returns):
                    du, dv = newton(u0, v0, lam, q, X @ (u * u - v * v) - y)
                    u, v = u - du, v - dv
            out[path] = 4 / n * ((u * u + v * v) @ squares)
        return out

    @nb.njit(parallel=True, fastmath=True)
    def run_terms():
        out = np.empty(terms_runs)
        for point in nb.prange(terms_runs):
            out[point] = drift(start[0].copy(), start[1].copy())[0][0]
        return out

    return {"diagonal_sde": run_sde, "diagonal_terms": run_terms}
