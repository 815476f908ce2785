"""SGD on a perceptron, many seeds at once: their weights are stacked, and each step is batched matrix products. Gradients
by hand in PyTorch (its automatic ones were slower), by jax.grad in JAX."""

import numpy as np

import works as w
from blocks import import_jax, import_torch, jax_blocks, torch_blocks

INPUTS, HIDDEN, CLASSES = 64, 64, 10
BLOCK = 32  # 8 and 16 were slower
STEPS, BATCH, ETA = w.PERCEPTRON_STEPS, w.PERCEPTRON_BATCH, w.PERCEPTRON_ETA


def data(arrays):
    """Inputs, classes, and the layers' weights (input x unit) and biases at the start."""
    a = arrays["perceptron_sgd"]
    start, sizes = np.array(a["start"]), ((HIDDEN, INPUTS), (HIDDEN,), (CLASSES, HIDDEN), (CLASSES,))
    parts = np.split(start, np.cumsum([np.prod(s) for s in sizes])[:-1])
    return np.array(a["X"]).reshape(-1, INPUTS), np.array(a["y"], dtype=int), [p.reshape(s).T.copy() for p, s in zip(parts, sizes)]


def torch_peers(arrays, dtype_name):
    torch = import_torch()
    if "perceptron_sgd" not in arrays:
        return {}
    X, y, start = data(arrays)
    dtype = getattr(torch, dtype_name)
    X, y = torch.tensor(X, dtype=dtype), torch.tensor(y)
    targets = torch.nn.functional.one_hot(y, CLASSES).to(dtype)
    start = [torch.tensor(p, dtype=dtype) for p in start]

    def run(block, generator):
        W1, b1, W2, b2 = (p.expand(block, *p.shape).clone() if p.ndim == 2 else p.expand(block, 1, *p.shape).clone() for p in start)
        for _ in range(STEPS):
            i = torch.randint(len(y), (block * BATCH,), generator=generator)
            x = X.index_select(0, i).view(block, BATCH, INPUTS)
            h = torch.baddbmm(b1, x, W1).tanh_()
            d = torch.softmax(torch.baddbmm(b2, h, W2), -1).sub_(targets.index_select(0, i).view(block, BATCH, CLASSES)).mul_(1 / BATCH)
            e = torch.bmm(d, W2.mT).mul_(1 - h * h)
            W2.baddbmm_(h.mT, d, alpha=-ETA)
            b2.sub_(d.sum(1, keepdim=True), alpha=ETA)
            W1.baddbmm_(x.mT, e, alpha=-ETA)
            b1.sub_(e.sum(1, keepdim=True), alpha=ETA)
        z = torch.baddbmm(b2, torch.baddbmm(b1, X.expand(block, *X.shape), W1).tanh_(), W2)
        return torch.nn.functional.cross_entropy(z.mT, y.expand(block, -1), reduction="none").mean(1)

    return {"perceptron_sgd": lambda: torch_blocks(w.WORKS["perceptron_sgd"].runs, BLOCK, run)}


def jax_peers(arrays, dtype_name):
    jax = import_jax()
    if "perceptron_sgd" not in arrays:
        return {}
    jnp = jax.numpy
    X, y, start = data(arrays)
    dtype = getattr(jnp, dtype_name)
    X, y, start = jnp.asarray(X, dtype), jnp.asarray(y), [jnp.asarray(p, dtype) for p in start]

    def loss(parameters, x, labels):
        W1, b1, W2, b2 = parameters
        z = jax.nn.log_softmax(jnp.tanh(x @ W1 + b1) @ W2 + b2)
        return -jnp.take_along_axis(z, labels[:, None], 1).mean()

    def one(key):
        def step(parameters, k):
            i = jax.random.randint(k, (BATCH,), 0, len(y))
            return [p - ETA * g for p, g in zip(parameters, jax.grad(loss)(parameters, X[i], y[i]))], None

        return loss(jax.lax.scan(step, start, jax.random.split(key, STEPS))[0], X, y)

    return {"perceptron_sgd": jax_blocks(w.WORKS["perceptron_sgd"].runs, BLOCK,
                                         lambda key, block: jax.vmap(one)(jax.random.split(key, block)))}
