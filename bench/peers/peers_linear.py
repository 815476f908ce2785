"""The linear SDE of works.py."""

import math

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_blocks, numpy_blocks, torch_blocks

PATHS, STEPS = w.WORKS["linear"].runs, w.LINEAR_STEPS
BLOCK = 16384
DRIFT, NOISE = 1.5 / STEPS, 0.01 * math.sqrt(1 / STEPS)


def numpy_peers(_):
    def run(block, rng):
        x = np.ones((3, block))
        z = np.empty_like(x)
        for _ in range(STEPS):
            rng.standard_normal(out=z)
            z *= NOISE
            z += DRIFT
            z *= x
            x += z
        return x[0]

    return {"linear": lambda: numpy_blocks(PATHS, BLOCK, run)}


def numba_peers(_):
    import numba as nb

    @nb.njit(parallel=True, fastmath=True)
    def run():
        out = np.empty(PATHS)
        for p in nb.prange(PATHS):
            x0 = x1 = x2 = 1.0
            for _ in range(STEPS):
                x0 += x0 * (DRIFT + NOISE * np.random.standard_normal())
                x1 += x1 * (DRIFT + NOISE * np.random.standard_normal())
                x2 += x2 * (DRIFT + NOISE * np.random.standard_normal())
            out[p] = (x0 + x1 + x2) / 3
        return out

    return {"linear": run}


def torch_peers(_, dtype_name):
    torch = import_torch()

    dtype = getattr(torch, dtype_name)

    def run(block, generator):
        x = torch.ones(3, block, dtype=dtype)
        for _ in range(STEPS):
            z = torch.randn(3, block, dtype=dtype, generator=generator)
            x.addcmul_(x, z.mul_(NOISE).add_(DRIFT))
        return x[0]

    return {"linear": lambda: torch_blocks(PATHS, BLOCK, run)}


def torchsde_peers(_):
    torch = import_torch()
    import torchsde

    class Linear(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, x):
            return 1.5 * x

        def g(self, t, x):
            return 0.01 * x

    @torch.no_grad()
    def run():
        times = torch.tensor([0.0, 1.0])
        x = torchsde.sdeint(Linear(), torch.ones(PATHS, 3), times, dt=1 / STEPS, method="euler")[-1]
        return x[:, 0].double().cpu().numpy()

    return {"linear": run}


def jax_peers(_, dtype_name):
    jax = import_jax()
    jnp = jax.numpy
    dtype = getattr(jnp, dtype_name)

    def run(key, block):
        def step(x, k):
            return (x + x * (DRIFT + NOISE * jax.random.normal(k, (3, block), dtype))).astype(dtype), None

        return jax.lax.scan(step, jnp.ones((3, block), dtype), jax.random.split(key, STEPS))[0].mean(axis=0)

    return {"linear": jax_blocks(PATHS, BLOCK, run)}


def diffrax_peers(_):
    import diffrax
    import lineax

    jax = import_jax()

    def run(key, block):
        motion = diffrax.UnsafeBrownianPath(shape=(3, block), key=key)  # the paths' own, in one array
        terms = diffrax.MultiTerm(diffrax.ODETerm(lambda t, x, _: 1.5 * x),
                                  diffrax.ControlTerm(lambda t, x, _: lineax.DiagonalLinearOperator(0.01 * x), motion))
        return diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, 1.0, 1 / STEPS, jax.numpy.ones((3, block)),
                                   adjoint=diffrax.DirectAdjoint(), max_steps=STEPS + 1).ys[0].mean(axis=0)

    return {"linear": jax_blocks(PATHS, BLOCK, run)}
