"""Phi: the gradient flow with an error of FLOW_TOLERANCE a step, for as long as it needs at the slowest rate to come
within FLOW_POLISH of the manifold, then Newton's method along the normal space. The ring is not stiff (explicit
methods); the diagonal network is (eigenvalues from 9e-4 to 11: implicit ones)."""

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

import works as w
from blocks import THREADS, import_jax, jax_points, on_threads

NEWTON = 3
STRICT = {"rtol": w.FLOW_TOLERANCE, "atol": w.FLOW_TOLERANCE}
RING_BLOCK = 1024


def offsets(points, dimension):
    """[point][component]"""
    return w.FLOW_OFFSET * np.sin(np.add.outer(np.asarray(points), np.arange(dimension)))


def flow_time(dimension, start, slowest):
    return math.log(w.FLOW_OFFSET * math.sqrt(dimension) / (w.FLOW_POLISH * (1 + np.linalg.norm(start)))) / slowest


RING_START = np.array([0.0, 1.0])
RING_TIME = flow_time(2, RING_START, 4 * (1 - w.A * w.FLOW_OFFSET))


def ring_field(x, y):
    r = x * x + y * y - 1
    c = (2 + 2 * w.A * x) * r
    return -(0.5 * w.A * r * r + c * x), -c * y


class Diagonal:
    def __init__(self, arrays):
        data = arrays["diagonal_flow"]
        self.y, self.start = np.array(data["y"]), np.array(data["start"])
        self.n, self.p = len(self.y), len(self.start) // 2
        self.X = np.array(data["X"]).reshape(self.n, self.p)
        J = self.jacobian(np, self.start)
        self.time = flow_time(2 * self.p, self.start, np.linalg.eigvalsh(J @ J.T / self.n)[0])
        self.points = self.start + offsets(range(w.WORKS["diagonal_flow"].runs), 2 * self.p)

    def residuals(self, x):
        u, v = x[: self.p], x[self.p :]
        return self.X @ (u * u - v * v) - self.y

    def jacobian(self, xp, x):
        return xp.concatenate([2 * self.X * x[: self.p], -2 * self.X * x[self.p :]], axis=1)

    def field(self, xp, x):
        s = (-2 / self.n) * (self.X.T @ self.residuals(x))
        return xp.concatenate([s * x[: self.p], -s * x[self.p :]])

    def hessian(self, x):
        J = self.jacobian(np, x)
        s = (2 / self.n) * (self.X.T @ self.residuals(x))
        return J.T @ J / self.n + np.diag(np.concatenate([s, -s]))

    def polish(self, xp, x):
        for _ in range(NEWTON):
            J = self.jacobian(xp, x)
            x = x - J.T @ xp.linalg.solve(J @ J.T, self.residuals(x))
        return x

    def known(self):
        """The mean in closed form: the flow keeps each product u_k v_k, and n = p, so Gamma fixes u*u - v*v = beta."""
        beta = np.linalg.solve(self.X, self.y)[0]
        product = self.points[:, 0] * self.points[:, self.p]
        return float(np.sqrt((beta + np.sqrt(beta * beta + 4 * product**2)) / 2).mean())


def lsoda(network, points):
    """Phi's first component (LSODA: four times as fast here as BDF or Radau)."""
    from scipy.integrate import solve_ivp

    def one(point):
        end = solve_ivp(lambda _, x: network.field(np, x), (0, network.time), point, method="LSODA",
                        jac=lambda _, x: -network.hessian(x), **STRICT).y[:, -1]
        return network.polish(np, end)[0]

    return np.array([one(point) for point in points])


def scipy_peers(arrays):
    from scipy.integrate import solve_ivp

    network = Diagonal(arrays)

    def ring(block, number):
        """A block of points as one system: numpy's loops are over points."""
        start = RING_START + offsets(range(number * block, (number + 1) * block), 2)
        end = solve_ivp(lambda _, z: np.concatenate(ring_field(z[:block], z[block:])), (0, RING_TIME),
                        start.T.reshape(-1), method="DOP853", **STRICT).y[:, -1]
        return end[:block] / np.hypot(end[:block], end[block:])  # Newton's method along the radius, to its end

    # Python's own calls hold the interpreter's lock, so a process for each core.
    pool = ProcessPoolExecutor(THREADS, mp_context=get_context("spawn"))
    parts = np.array_split(network.points, THREADS)
    return {"ring_flow": lambda: on_threads(w.WORKS["ring_flow"].runs, RING_BLOCK, ring),
            "diagonal_flow": lambda: np.concatenate(list(pool.map(lsoda, [network] * THREADS, parts)))}


def diffrax_peers(arrays):
    import diffrax

    jax = import_jax()
    jnp = jax.numpy
    network = Diagonal(arrays)

    def flow(field, solver, start, time):
        return diffrax.diffeqsolve(diffrax.ODETerm(lambda t, x, _: field(x)), solver, 0.0, time, None, start,
                                   stepsize_controller=diffrax.PIDController(**STRICT),
                                   adjoint=diffrax.DirectAdjoint(), max_steps=100_000).ys[0]

    def ring(point):
        x, y = flow(lambda z: jnp.stack(ring_field(z[0], z[1])), diffrax.Dopri8(), point, RING_TIME)
        return x / jnp.hypot(x, y)

    def diagonal(point):
        return network.polish(jnp, flow(lambda x: network.field(jnp, x), diffrax.Kvaerno5(), point, network.time))[0]

    return {"ring_flow": jax_points(ring, RING_START + offsets(range(w.WORKS["ring_flow"].runs), 2), spread=True),
            "diagonal_flow": jax_points(diagonal, network.points)}
