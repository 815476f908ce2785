"""Slow SDEs on curves, in their coordinate (curves.py), and on the sphere, where the tangent noise and the retraction
are one step: add the isotropic increment, normalize (its radial part moves the point by second order and mean zero)."""

import math

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_blocks, numpy_blocks, torch_blocks
from curves import CURVES, psi_of

BLOCK, SPHERE_BLOCK = 16384, 4096
SQRT_DT = math.sqrt(w.DT)
SPHERE_STEP = w.SPHERE_SIGMA * math.sqrt(w.DT / w.B)


def paths_of(name):
    return w.WORKS[name].runs


def numpy_peers(_):
    def curve_peer(name, curve):
        coefficients, observe = curve.make(np, psi_of(np)), curve.observe(np)

        def run(block, rng):
            x = np.full(block, curve.start)
            for _ in range(w.SLOW_STEPS):
                drift, diffusion = coefficients(x)
                x = x + drift * w.DT + diffusion * SQRT_DT * rng.standard_normal(block)
            return observe(x)

        return lambda: numpy_blocks(paths_of(name), BLOCK, run)

    def sphere(block, rng):
        x = np.zeros((w.SPHERE_D, block))
        x[0] = 1
        for _ in range(w.SLOW_STEPS):
            x += SPHERE_STEP * rng.standard_normal(x.shape)
            x /= np.sqrt(np.einsum("ij,ij->j", x, x))
        return x[0]

    return {**{name: curve_peer(name, curve) for name, curve in CURVES.items()},
            "sphere_sde": lambda: numpy_blocks(paths_of("sphere_sde"), SPHERE_BLOCK, sphere)}


def numba_peers(_):
    import numba as nb

    psi = nb.njit(fastmath=True)(psi_of(np))
    steps, dt = w.SLOW_STEPS, w.DT

    def curve_peer(name, curve):
        coefficients = nb.njit(fastmath=True)(curve.make(np, psi))
        observe = nb.njit(fastmath=True)(curve.observe(np))
        paths, start = paths_of(name), curve.start

        @nb.njit(parallel=True, fastmath=True)
        def run():
            out = np.empty(paths)
            for p in nb.prange(paths):
                x = start
                for _ in range(steps):
                    drift, diffusion = coefficients(x)
                    x += drift * dt + diffusion * SQRT_DT * np.random.standard_normal()
                out[p] = observe(x)
            return out

        return run

    paths, d = paths_of("sphere_sde"), w.SPHERE_D

    @nb.njit(parallel=True, fastmath=True)
    def sphere():
        out = np.empty(paths)
        for p in nb.prange(paths):
            x = np.zeros(d)
            x[0] = 1
            for _ in range(steps):
                square = 0.0
                for k in range(d):
                    x[k] += SPHERE_STEP * np.random.standard_normal()
                    square += x[k] * x[k]
                inverse = 1 / math.sqrt(square)
                for k in range(d):
                    x[k] *= inverse
            out[p] = x[0]
        return out

    return {**{name: curve_peer(name, curve) for name, curve in CURVES.items()}, "sphere_sde": sphere}


def torch_peers(_, dtype_name):
    torch = import_torch()

    dtype = getattr(torch, dtype_name)

    def curve_peer(name, curve):
        coefficients, observe = curve.make(torch, psi_of(torch)), curve.observe(torch)

        def run(block, generator):
            x = torch.full((block,), curve.start, dtype=dtype)
            for _ in range(w.SLOW_STEPS):
                drift, diffusion = coefficients(x)
                z = torch.randn(block, dtype=dtype, generator=generator)
                x = x.add(drift, alpha=w.DT).add_(z.mul_(diffusion), alpha=SQRT_DT)
            return observe(x)

        return lambda: torch_blocks(paths_of(name), BLOCK, run)

    def sphere(block, generator):
        x = torch.zeros(w.SPHERE_D, block, dtype=dtype)
        x[0] = 1
        for _ in range(w.SLOW_STEPS):
            x.add_(torch.randn(w.SPHERE_D, block, dtype=dtype, generator=generator), alpha=SPHERE_STEP)
            x.mul_(x.square().sum(0).rsqrt_())
        return x[0]

    return {**{name: curve_peer(name, curve) for name, curve in CURVES.items()},
            "sphere_sde": lambda: torch_blocks(paths_of("sphere_sde"), SPHERE_BLOCK, sphere)}


def torchsde_peers(_):
    torch = import_torch()
    import torchsde

    def curve_peer(name, curve):
        coefficients, observe = curve.make(torch, psi_of(torch)), curve.observe(torch)

        class Slow(torch.nn.Module):
            noise_type, sde_type = "diagonal", "ito"

            def f(self, t, x):
                return self.f_and_g(t, x)[0]

            def g(self, t, x):
                return self.f_and_g(t, x)[1]

            def f_and_g(self, t, x):
                drift, diffusion = coefficients(x)
                return drift, diffusion if torch.is_tensor(diffusion) else torch.full_like(x, diffusion)

        @torch.no_grad()
        def run():
            x = torch.full((paths_of(name), 1), curve.start, dtype=torch.float64)
            times = torch.tensor([0.0, w.TIME], dtype=torch.float64)
            return observe(torchsde.sdeint(Slow(), x, times, dt=w.DT, method="euler")[-1][:, 0]).cpu().numpy()

        return run

    return {name: curve_peer(name, curve) for name, curve in CURVES.items()}


def jax_peers(_, dtype_name):
    jax = import_jax()
    jnp = jax.numpy
    dtype = getattr(jnp, dtype_name)

    def curve_peer(name, curve):
        coefficients, observe = curve.make(jnp, psi_of(jnp)), curve.observe(jnp)

        def run(key, block):
            def step(x, k):
                drift, diffusion = coefficients(x)
                x = x + drift * w.DT + diffusion * SQRT_DT * jax.random.normal(k, (block,), dtype)
                return x.astype(dtype), None

            start = jnp.full(block, curve.start, dtype)
            return observe(jax.lax.scan(step, start, jax.random.split(key, w.SLOW_STEPS))[0])

        return jax_blocks(paths_of(name), BLOCK, run)

    def sphere(key, block):
        def step(x, k):
            x = x + SPHERE_STEP * jax.random.normal(k, x.shape, dtype)
            return (x * jax.lax.rsqrt(jnp.sum(x * x, axis=0))).astype(dtype), None

        start = jnp.zeros((w.SPHERE_D, block), dtype).at[0].set(1)
        return jax.lax.scan(step, start, jax.random.split(key, w.SLOW_STEPS))[0][0]

    return {**{name: curve_peer(name, curve) for name, curve in CURVES.items()},
            "sphere_sde": jax_blocks(paths_of("sphere_sde"), SPHERE_BLOCK, sphere)}


def diffrax_peers(_):
    import diffrax
    import lineax

    jax = import_jax()
    jnp = jax.numpy

    def curve_peer(name, curve):
        coefficients, observe = curve.make(jnp, psi_of(jnp)), curve.observe(jnp)

        def run(key, block):
            motion = diffrax.UnsafeBrownianPath(shape=(block,), key=key)  # the paths' own, in one array

            def diffusion(t, x, _):
                return lineax.DiagonalLinearOperator(coefficients(x)[1] * jnp.ones_like(x))

            terms = diffrax.MultiTerm(diffrax.ODETerm(lambda t, x, _: coefficients(x)[0]),
                                      diffrax.ControlTerm(diffusion, motion))
            end = diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, w.TIME, w.DT, jnp.full(block, curve.start),
                                      adjoint=diffrax.DirectAdjoint(), max_steps=w.SLOW_STEPS + 1)
            return observe(end.ys[0])

        return jax_blocks(paths_of(name), BLOCK, run)

    return {name: curve_peer(name, curve) for name, curve in CURVES.items()}
