"""Local SGD on the networks: each worker's step draws one sample and perturbs its label. Only that sample's gradient is
computed. States are tuples of arrays whose last axis runs over workers and paths."""

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_blocks, numpy_blocks, torch_blocks

BLOCK = 512  # paths; K workers each
K, H, ETA, ROUNDS = w.K, w.H, w.ETA, w.LOCAL_STEPS // w.H


def diagonal_step(xp, state, x, y, noise):
    """f = <u*u - v*v, x> - y"""
    u, v = state
    e = (2 * ETA) * (xp.sum((u * u - v * v) * x, 0) - y + noise) * x
    return u - e * u, v + e * v


def diagonal_loss(xp, state, X, y):
    u, v = state
    return ((X @ (u * u - v * v) - y[:, None]) ** 2).mean(0) / 2


def tanh_step(xp, state, x, y, noise):
    """f = sum_k a_k tanh(<w_k, x>) - y"""
    a, weights = state
    t = xp.tanh(xp.sum(weights * x, 1))
    e = ETA * (xp.sum(a * t, 0) - y + noise)
    return a - e * t, weights - (e * a * (1 - t * t))[:, None] * x


def tanh_loss(xp, state, X, y):
    a, weights = state
    return ((xp.sum(a[:, None] * xp.tanh(X @ weights), 0) - y[:, None]) ** 2).mean(0) / 2


class Network:
    """Arrays of one work, and its functions for any array module."""

    def __init__(self, name, arrays):
        self.paths = w.WORKS[name].runs
        self.y = np.array(arrays[name]["y"])
        self.n = len(self.y)
        self.X = np.array(arrays[name]["X"]).reshape(self.n, -1)
        start, inputs = np.array(arrays[name]["start"]), self.X.shape[1]
        if name == "diagonal_sgd":
            self.step, self.loss = diagonal_step, diagonal_loss
            self.start = (start[:inputs], start[inputs:])
        else:
            self.step, self.loss = tanh_step, tanh_loss
            width = len(start) // (inputs + 1)
            self.start = (start[:width], start[width:].reshape(width, inputs))


def networks(arrays):
    return {name: Network(name, arrays) for name in ("diagonal_sgd", "tanh_sgd")}


def numpy_peers(arrays):
    def peer(net):
        X = np.ascontiguousarray(net.X.T)

        def run(block, rng):
            state = tuple(np.repeat(s[..., None], block, -1) for s in net.start)
            for _ in range(ROUNDS):
                workers = tuple(np.tile(s, K) for s in state)
                for _ in range(H):
                    i = rng.integers(net.n, size=K * block)
                    workers = net.step(np, workers, X[:, i], net.y[i], rng.standard_normal(K * block))
                state = tuple(s.reshape(*s.shape[:-1], K, block).mean(-2) for s in workers)
            return net.loss(np, state, net.X, net.y)

        return lambda: numpy_blocks(net.paths, BLOCK, run)

    return {name: peer(net) for name, net in networks(arrays).items()}


def numba_peers(arrays):
    import numba as nb

    fast = nb.njit(fastmath=True)

    @fast
    def diagonal_residual(theta, x):
        p = x.size
        f = 0.0
        for j in range(p):
            f += (theta[j] * theta[j] - theta[p + j] * theta[p + j]) * x[j]
        return f

    @fast
    def diagonal(theta, x, y, noise, _):
        p = x.size
        e = 2 * ETA * (diagonal_residual(theta, x) - y + noise)
        for j in range(p):
            theta[j] -= e * x[j] * theta[j]
            theta[p + j] += e * x[j] * theta[p + j]

    @fast
    def tanh_output(theta, x, t):
        width = t.size
        f = 0.0
        for k in range(width):
            z = 0.0
            for j in range(x.size):
                z += theta[width + k * x.size + j] * x[j]
            t[k] = np.tanh(z)
            f += theta[k] * t[k]
        return f

    @fast
    def tanh(theta, x, y, noise, t):
        width = t.size
        e = ETA * (tanh_output(theta, x, t) - y + noise)
        for k in range(width):
            back = e * theta[k] * (1 - t[k] * t[k])
            theta[k] -= e * t[k]
            for j in range(x.size):
                theta[width + k * x.size + j] -= back * x[j]

    @fast
    def diagonal_output(theta, x, _):
        return diagonal_residual(theta, x)

    def peer(net, step, output):
        X, y, n, paths, width = net.X, net.y, net.n, net.paths, len(net.start[0])
        start = np.concatenate([s.ravel() for s in net.start])

        @nb.njit(parallel=True, fastmath=True)
        def run():
            out = np.empty(paths)
            for p in nb.prange(paths):
                theta, total, worker, t = start.copy(), np.empty(start.size), np.empty(start.size), np.empty(width)
                for _ in range(ROUNDS):
                    total[:] = 0
                    for _ in range(K):
                        worker[:] = theta
                        for _ in range(H):
                            i = np.random.randint(0, n)
                            step(worker, X[i], y[i], np.random.standard_normal(), t)
                        total += worker
                    theta[:] = total / K
                loss = 0.0
                for i in range(n):
                    loss += (output(theta, X[i], t) - y[i]) ** 2
                out[p] = loss / (2 * n)
            return out

        return run

    nets = networks(arrays)
    return {"diagonal_sgd": peer(nets["diagonal_sgd"], diagonal, diagonal_output),
            "tanh_sgd": peer(nets["tanh_sgd"], tanh, tanh_output)}


def torch_peers(arrays, dtype_name):
    torch = import_torch()

    dtype = getattr(torch, dtype_name)

    def peer(net):
        X, y = torch.tensor(net.X, dtype=dtype), torch.tensor(net.y, dtype=dtype)
        columns = X.T.contiguous()
        start = tuple(torch.tensor(s, dtype=dtype) for s in net.start)

        def run(block, generator):
            state = tuple(s[..., None].expand(*s.shape, block) for s in start)
            for _ in range(ROUNDS):
                workers = tuple(s.repeat(*(1 for _ in s.shape[1:]), K) for s in state)
                for _ in range(H):
                    i = torch.randint(net.n, (K * block,), generator=generator)
                    noise = torch.randn(K * block, dtype=dtype, generator=generator)
                    workers = net.step(torch, workers, columns.index_select(1, i), y[i], noise)
                state = tuple(s.view(*s.shape[:-1], K, block).mean(-2) for s in workers)
            return net.loss(torch, state, X, y)

        return lambda: torch_blocks(net.paths, BLOCK, run)

    return {name: peer(net) for name, net in networks(arrays).items()}


def jax_peers(arrays, dtype_name):
    jax = import_jax()
    jnp = jax.numpy
    dtype = getattr(jnp, dtype_name)

    def peer(net):
        X, y = jnp.asarray(net.X, dtype), jnp.asarray(net.y, dtype)

        def run(key, block):
            def step(workers, k):
                sample_key, noise_key = jax.random.split(k)
                i = jax.random.randint(sample_key, (K * block,), 0, net.n)
                return net.step(jnp, workers, X.T[:, i], y[i], jax.random.normal(noise_key, (K * block,), dtype)), None

            def round_(state, k):
                workers = tuple(jnp.tile(s, K) for s in state)
                workers, _ = jax.lax.scan(step, workers, jax.random.split(k, H))
                return tuple(s.reshape(*s.shape[:-1], K, block).mean(-2) for s in workers), None

            start = tuple(jnp.repeat(jnp.asarray(s, dtype)[..., None], block, -1) for s in net.start)
            return net.loss(jnp, jax.lax.scan(round_, start, jax.random.split(key, ROUNDS))[0], X, y)

        return jax_blocks(net.paths, BLOCK, run)

    return {name: peer(net) for name, net in networks(arrays).items()}
