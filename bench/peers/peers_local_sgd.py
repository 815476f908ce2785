"""Local SGD on the ring and the hyperbola: one update for every library, x, y = update(x, y, draw) with draw() the next
standard normals of the workers' shape."""

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_blocks, numpy_blocks, torch_blocks

BLOCK = 4096  # paths; K workers each
(F00, F01), (F10, F11) = w.FACTOR
A, K, H, ETA, ROUNDS = w.A, w.K, w.H, w.ETA, w.LOCAL_STEPS // w.H


def ring_update(x, y, draw):
    r = x * x + y * y - 1
    c = (2 + 2 * A * x) * r
    a, b = draw(), draw()
    return x - ETA * (A * 0.5 * r * r + c * x + F00 * a + F01 * b), y - ETA * (c * y + F10 * a + F11 * b)


def hyperbola_update(x, y, draw):
    e = ETA * (x * y - 1 + draw())
    return x - e * y, y - e * x


# Start, update, and which coordinate is observed.
WORKS = {"ring_sgd": ((0.0, 1.0), ring_update, 1), "hyperbola_sgd": ((2.0, 0.5), hyperbola_update, 0)}


def paths_of(name):
    return w.WORKS[name].runs


def numpy_peers(_):
    def peer(name, start, update, observed):
        def run(block, rng):
            def draw():
                return rng.standard_normal((K, block))

            x, y = (np.full(block, s) for s in start)
            for _ in range(ROUNDS):
                u, v = np.tile(x, (K, 1)), np.tile(y, (K, 1))
                for _ in range(H):
                    u, v = update(u, v, draw)
                x, y = u.mean(axis=0), v.mean(axis=0)
            return (x, y)[observed]

        return lambda: numpy_blocks(paths_of(name), BLOCK, run)

    return {name: peer(name, *work) for name, work in WORKS.items()}


def numba_peers(_):
    import numba as nb

    draw = nb.njit(lambda: np.random.standard_normal())

    def peer(name, start, python_update, observed):
        paths = paths_of(name)
        update = nb.njit(fastmath=True)(python_update)

        @nb.njit(parallel=True, fastmath=True)
        def run():
            out = np.empty(paths)
            for p in nb.prange(paths):
                x, y = start
                for _ in range(ROUNDS):
                    sx = sy = 0.0
                    for _ in range(K):
                        u, v = x, y
                        for _ in range(H):
                            u, v = update(u, v, draw)
                        sx += u
                        sy += v
                    x, y = sx / K, sy / K
                out[p] = y if observed else x
            return out

        return run

    return {name: peer(name, *work) for name, work in WORKS.items()}


def torch_peers(_, dtype_name):
    torch = import_torch()

    dtype = getattr(torch, dtype_name)

    def peer(name, start, update, observed):
        def run(block, generator):
            def draw():
                return torch.randn(K, block, dtype=dtype, generator=generator)

            x, y = (torch.full((block,), s, dtype=dtype) for s in start)
            for _ in range(ROUNDS):
                u, v = x.repeat(K, 1), y.repeat(K, 1)
                for _ in range(H):
                    u, v = update(u, v, draw)
                x, y = u.mean(0), v.mean(0)
            return (x, y)[observed]

        return lambda: torch_blocks(paths_of(name), BLOCK, run)

    return {name: peer(name, *work) for name, work in WORKS.items()}


def jax_peers(_, dtype_name):
    jax = import_jax()
    jnp = jax.numpy
    dtype = getattr(jnp, dtype_name)

    def peer(name, start, update, observed):
        def run(key, block):
            def step(state, k):
                keys = iter(jax.random.split(k, 2))
                new = update(*state, lambda: jax.random.normal(next(keys), (K, block), dtype))
                return tuple(s.astype(dtype) for s in new), None

            def round_(state, k):
                workers = tuple(jnp.broadcast_to(s, (K, block)) for s in state)
                workers, _ = jax.lax.scan(step, workers, jax.random.split(k, H))
                return tuple(s.mean(axis=0) for s in workers), None

            first = tuple(jnp.full(block, s, dtype) for s in start)
            return jax.lax.scan(round_, first, jax.random.split(key, ROUNDS))[0][observed]

        return jax_blocks(paths_of(name), BLOCK, run)

    return {name: peer(name, *work) for name, work in WORKS.items()}
