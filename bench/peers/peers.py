"""Peers: what a user would write instead. Each function does one run of a work of works.py and returns its sample
(an array with one value for each path); compiled peers are called once before they are timed."""

import math

import numpy as np

import works as w

SQRT_DT_LINEAR = math.sqrt(1 / w.LINEAR_STEPS)
S = np.array(w.SIGMA)


def ring_drift_diffusion(xp, phi):
    """Closed form of theory.md section 7 for an array module xp."""
    co, si = xp.cos(phi), xp.sin(phi)
    c, ct = 1 + w.A * co, -w.A * si
    tt = S[0, 0] * si * si - 2 * S[0, 1] * si * co + S[1, 1] * co * co
    nn = S[0, 0] * co * co + 2 * S[0, 1] * si * co + S[1, 1] * si * si
    tn = (S[1, 1] - S[0, 0]) * si * co + S[0, 1] * (co * co - si * si)

    def psi(x):
        return (xp.exp(-x) - 1 + x) / x

    four, eight = 4 * w.ALPHA * c, 8 * w.ALPHA * c
    drift = -(tn * (1 + (w.K - 1) * psi(four)) + ct * nn / (4 * c) * (1 + (w.K - 1) * psi(eight))) / w.B
    return drift, xp.sqrt(tt / w.B)


def ring_gradient(x, y):
    r = x * x + y * y - 1
    c = 1 + w.A * x
    return w.A * 0.5 * r * r + 2 * c * r * x, 2 * c * r * y


# numpy -----------------------------------------------------------------------------------------------------------------
def numpy_linear():
    rng = np.random.default_rng(1)
    x = np.ones((w.PATHS["linear"], 3))
    for _ in range(w.LINEAR_STEPS):
        x += x * (1.5 / w.LINEAR_STEPS + 0.01 * SQRT_DT_LINEAR * rng.standard_normal(x.shape))
    return x[:, 0]


def numpy_ring_sde():
    rng = np.random.default_rng(1)
    phi = np.full(w.PATHS["ring_sde"], math.pi / 2)
    for _ in range(w.SLOW_STEPS):
        drift, diffusion = ring_drift_diffusion(np, phi)
        phi += drift * w.DT + diffusion * math.sqrt(w.DT) * rng.standard_normal(phi.shape)
    return np.sin(phi)


def numpy_ring_sgd():
    rng = np.random.default_rng(1)
    n = w.PATHS["ring_sgd"]
    x, y = np.zeros(n), np.ones(n)
    f = w.FACTOR
    for _ in range(w.LOCAL_STEPS // w.H):
        u, v = np.tile(x, (w.K, 1)), np.tile(y, (w.K, 1))
        for _ in range(w.H):
            gx, gy = ring_gradient(u, v)
            a, b = rng.standard_normal((2, w.K, n))
            u -= w.ETA * (gx + f[0][0] * a + f[0][1] * b)
            v -= w.ETA * (gy + f[1][0] * a + f[1][1] * b)
        x, y = u.mean(axis=0), v.mean(axis=0)
    return y


def numpy_hyperbola_sgd():
    rng = np.random.default_rng(1)
    n = w.PATHS["hyperbola_sgd"]
    x, y = np.full(n, 2.0), np.full(n, 0.5)
    for _ in range(w.LOCAL_STEPS // w.H):
        u, v = np.tile(x, (w.K, 1)), np.tile(y, (w.K, 1))
        for _ in range(w.H):
            e = w.ETA * (u * v - 1 + rng.standard_normal((w.K, n)))
            u, v = u - e * v, v - e * u
        x, y = u.mean(axis=0), v.mean(axis=0)
    return x


# numba -----------------------------------------------------------------------------------------------------------------
def numba_peers():
    import numba as nb

    n_linear, n_slow, n_ring, n_hyperbola = (w.PATHS[k] for k in ("linear", "ring_sde", "ring_sgd", "hyperbola_sgd"))
    s00, s01, s11 = S[0, 0], S[0, 1], S[1, 1]
    f00, f01, f10, f11 = w.FACTOR[0] + w.FACTOR[1]
    a_, K, B, H, eta, local, alpha, dt, slow, linear = (
        w.A, w.K, w.B, w.H, w.ETA, w.LOCAL_STEPS, w.ALPHA, w.DT, w.SLOW_STEPS, w.LINEAR_STEPS)

    @nb.njit(parallel=True, fastmath=True)
    def numba_linear():
        out = np.empty(n_linear)
        for p in nb.prange(n_linear):
            x0 = x1 = x2 = 1.0
            s = 0.01 * SQRT_DT_LINEAR
            for _ in range(linear):
                x0 += x0 * (1.5 / linear + s * np.random.standard_normal())
                x1 += x1 * (1.5 / linear + s * np.random.standard_normal())
                x2 += x2 * (1.5 / linear + s * np.random.standard_normal())
            out[p] = (x0 + x1 + x2) / 3
        return out

    @nb.njit(fastmath=True)
    def psi(x):
        return (math.exp(-x) - 1 + x) / x

    @nb.njit(parallel=True, fastmath=True)
    def numba_ring_sde():
        out = np.empty(n_slow)
        for p in nb.prange(n_slow):
            phi = math.pi / 2
            for _ in range(slow):
                co, si = math.cos(phi), math.sin(phi)
                c, ct = 1 + a_ * co, -a_ * si
                tt = s00 * si * si - 2 * s01 * si * co + s11 * co * co
                nn = s00 * co * co + 2 * s01 * si * co + s11 * si * si
                tn = (s11 - s00) * si * co + s01 * (co * co - si * si)
                drift = -(tn * (1 + (K - 1) * psi(4 * alpha * c)) + ct * nn / (4 * c) * (1 + (K - 1) * psi(8 * alpha * c))) / B
                phi += drift * dt + math.sqrt(tt / B * dt) * np.random.standard_normal()
            out[p] = math.sin(phi)
        return out

    @nb.njit(parallel=True, fastmath=True)
    def numba_ring_sgd():
        out = np.empty(n_ring)
        for p in nb.prange(n_ring):
            x, y = 0.0, 1.0
            for _ in range(local // H):
                sx = sy = 0.0
                for _ in range(K):
                    u, v = x, y
                    for _ in range(H):
                        r = u * u + v * v - 1
                        c = 1 + a_ * u
                        a, b = np.random.standard_normal(), np.random.standard_normal()
                        gx = a_ * 0.5 * r * r + 2 * c * r * u
                        gy = 2 * c * r * v
                        u -= eta * (gx + f00 * a + f01 * b)
                        v -= eta * (gy + f10 * a + f11 * b)
                    sx += u
                    sy += v
                x, y = sx / K, sy / K
            out[p] = y
        return out

    @nb.njit(parallel=True, fastmath=True)
    def numba_hyperbola_sgd():
        out = np.empty(n_hyperbola)
        for p in nb.prange(n_hyperbola):
            x, y = 2.0, 0.5
            for _ in range(local // H):
                sx = sy = 0.0
                for _ in range(K):
                    u, v = x, y
                    for _ in range(H):
                        e = eta * (u * v - 1 + np.random.standard_normal())
                        u, v = u - e * v, v - e * u
                    sx += u
                    sy += v
                x, y = sx / K, sy / K
            out[p] = x
        return out

    return {"linear": numba_linear, "ring_sde": numba_ring_sde, "ring_sgd": numba_ring_sgd, "hyperbola_sgd": numba_hyperbola_sgd}


# PyTorch, vectorized by hand ------------------------------------------------------------------------------------------
def torch_peers(dtype_name):
    import torch

    torch.manual_seed(1)
    dtype = getattr(torch, dtype_name)
    f = w.FACTOR

    @torch.no_grad()
    def linear():
        x = torch.ones(w.PATHS["linear"], 3, dtype=dtype)
        for _ in range(w.LINEAR_STEPS):
            z = torch.randn_like(x)
            x.addcmul_(x, z.mul_(0.01 * SQRT_DT_LINEAR).add_(1.5 / w.LINEAR_STEPS))
        return x[:, 0].double().numpy()

    @torch.no_grad()
    def ring_sde():
        phi = torch.full((w.PATHS["ring_sde"],), math.pi / 2, dtype=dtype)
        for _ in range(w.SLOW_STEPS):
            drift, diffusion = ring_drift_diffusion(torch, phi)
            phi += drift * w.DT + diffusion * math.sqrt(w.DT) * torch.randn_like(phi)
        return torch.sin(phi).double().numpy()

    @torch.no_grad()
    def ring_sgd():
        n = w.PATHS["ring_sgd"]
        x, y = torch.zeros(n, dtype=dtype), torch.ones(n, dtype=dtype)
        for _ in range(w.LOCAL_STEPS // w.H):
            u, v = x.repeat(w.K, 1), y.repeat(w.K, 1)
            for _ in range(w.H):
                gx, gy = ring_gradient(u, v)
                a, b = torch.randn_like(u), torch.randn_like(u)
                u -= w.ETA * (gx + f[0][0] * a + f[0][1] * b)
                v -= w.ETA * (gy + f[1][0] * a + f[1][1] * b)
            x, y = u.mean(0), v.mean(0)
        return y.double().numpy()

    @torch.no_grad()
    def hyperbola_sgd():
        n = w.PATHS["hyperbola_sgd"]
        x, y = torch.full((n,), 2.0, dtype=dtype), torch.full((n,), 0.5, dtype=dtype)
        for _ in range(w.LOCAL_STEPS // w.H):
            u, v = x.repeat(w.K, 1), y.repeat(w.K, 1)
            for _ in range(w.H):
                e = w.ETA * (u * v - 1 + torch.randn_like(u))
                u, v = u - e * v, v - e * u
            x, y = u.mean(0), v.mean(0)
        return x.double().numpy()

    return {"linear": linear, "ring_sde": ring_sde, "ring_sgd": ring_sgd, "hyperbola_sgd": hyperbola_sgd}


def torchsde_peers():
    import torch
    import torchsde

    class Linear(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, x):
            return 1.5 * x

        def g(self, t, x):
            return 0.01 * x

    @torch.no_grad()
    def linear():
        x = torch.ones(w.PATHS["linear"], 3)
        times = torch.tensor([0.0, 1.0])
        return torchsde.sdeint(Linear(), x, times, dt=1 / w.LINEAR_STEPS, method="euler")[-1][:, 0].double().numpy()

    return {"linear": linear}


# JAX: scan over steps, vmap over paths --------------------------------------------------------------------------------
def jax_peers(dtype_name):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    dtype = getattr(jnp, dtype_name)
    key = jax.random.PRNGKey(1)
    f = w.FACTOR

    def linear_path(key):
        def step(x, k):
            z = jax.random.normal(k, (3,), dtype)
            return x + x * (1.5 / w.LINEAR_STEPS + 0.01 * SQRT_DT_LINEAR * z), None

        return jax.lax.scan(step, jnp.ones(3, dtype), jax.random.split(key, w.LINEAR_STEPS))[0][0]

    def ring_sde_path(key):
        def step(phi, k):
            drift, diffusion = ring_drift_diffusion(jnp, phi)
            return (phi + drift * w.DT + diffusion * math.sqrt(w.DT) * jax.random.normal(k, (), dtype)).astype(dtype), None

        return jnp.sin(jax.lax.scan(step, jnp.asarray(math.pi / 2, dtype), jax.random.split(key, w.SLOW_STEPS))[0])

    def local_sgd(start, update, noises):
        def worker(x, key):
            def step(state, k):
                return update(state, jax.random.normal(k, (noises,), dtype)), None

            return jax.lax.scan(step, x, jax.random.split(key, w.H))[0]

        def round_(x, key):
            return jax.vmap(worker, (None, 0))(x, jax.random.split(key, w.K)).mean(axis=0).astype(dtype), None

        def path(key):
            return jax.lax.scan(round_, jnp.asarray(start, dtype), jax.random.split(key, w.LOCAL_STEPS // w.H))[0]

        return path

    def ring_update(s, z):
        gx, gy = ring_gradient(s[0], s[1])
        return jnp.stack([s[0] - w.ETA * (gx + f[0][0] * z[0] + f[0][1] * z[1]),
                          s[1] - w.ETA * (gy + f[1][0] * z[0] + f[1][1] * z[1])]).astype(dtype)

    def hyperbola_update(s, z):
        e = w.ETA * (s[0] * s[1] - 1 + z[0])
        return jnp.stack([s[0] - e * s[1], s[1] - e * s[0]]).astype(dtype)

    ring_path, hyperbola_path = local_sgd((0, 1), ring_update, 2), local_sgd((2, 0.5), hyperbola_update, 1)
    paths = {"linear": linear_path, "ring_sde": ring_sde_path, "ring_sgd": lambda k: ring_path(k)[1],
             "hyperbola_sgd": lambda k: hyperbola_path(k)[0]}

    def runner(name):
        compiled = jax.jit(jax.vmap(paths[name]))
        keys = jax.random.split(key, w.PATHS[name])
        return lambda: np.asarray(compiled(keys).block_until_ready(), dtype=float)

    return {name: runner(name) for name in paths}


def diffrax_peers():
    import diffrax
    import jax
    import jax.numpy as jnp

    terms = lambda motion: diffrax.MultiTerm(  # noqa: E731
        diffrax.ODETerm(lambda t, x, _: 1.5 * x),
        diffrax.ControlTerm(lambda t, x, _: 0.01 * jnp.diag(x), motion))

    def path(key):
        motion = diffrax.UnsafeBrownianPath(shape=(3,), key=key)
        return diffrax.diffeqsolve(terms(motion), diffrax.Euler(), 0.0, 1.0, 1 / w.LINEAR_STEPS, jnp.ones(3),
                                   adjoint=diffrax.DirectAdjoint(), max_steps=w.LINEAR_STEPS + 1).ys[0, 0]

    compiled = jax.jit(jax.vmap(path))
    keys = jax.random.split(jax.random.PRNGKey(1), w.PATHS["linear"])
    return {"linear": lambda: np.asarray(compiled(keys).block_until_ready(), dtype=float)}


def numpy_peers():
    return {"linear": numpy_linear, "ring_sde": numpy_ring_sde, "ring_sgd": numpy_ring_sgd, "hyperbola_sgd": numpy_hyperbola_sgd}


PEERS = {
    "numpy": numpy_peers,
    "numba": numba_peers,
    "PyTorch float64": lambda: torch_peers("float64"),
    "PyTorch float32": lambda: torch_peers("float32"),
    "torchsde": torchsde_peers,
    "JAX float64": lambda: jax_peers("float64"),
    "JAX float32": lambda: jax_peers("float32"),
    "diffrax": diffrax_peers,
}
