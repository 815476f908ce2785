"""Paths in blocks that stay in the cache, on every core: for numpy and PyTorch by threads (both let go of the
interpreter's lock in their loops), for JAX by devices. Blocks of a few ten thousand numbers were fastest, up to three
times as fast as whole arrays. On a GPU (works.use_gpu) all paths are one block."""

import os
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's and scipy's small products: the blocks are the parallelism

import numpy as np  # noqa: E402

import works as w  # noqa: E402

THREADS = os.cpu_count()


def on_threads(paths, block, run):
    """run(block, number) gives a sample of `block` paths; all of them in one array."""
    if paths % block:
        raise ValueError(f"{paths} paths: expected a multiple of the block, {block}")
    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(lambda number: run(block, number), range(paths // block))))


def import_torch():
    """PyTorch, whose new tensors are on the GPU where that is used."""
    import torch

    if w.gpu:
        torch.set_default_device("cuda")
    return torch


def torch_blocks(paths, block, run):
    """The same for PyTorch: run(block, generator)."""
    torch = import_torch()
    if w.gpu:
        with torch.no_grad():
            return run(paths, torch.Generator("cuda").manual_seed(1)).double().cpu().numpy()

    def one(block, number):
        torch.set_num_threads(1)  # a setting of the calling thread
        with torch.no_grad():
            return run(block, torch.Generator().manual_seed(number)).double().numpy()

    return on_threads(paths, block, one)


def numpy_blocks(paths, block, run):
    """The same for numpy: run(block, generator)."""
    return on_threads(paths, block, lambda block, number: run(block, np.random.default_rng(number)))


def import_jax():
    """JAX with a device for each core (before its first use) and doubles; on a GPU it leaves PyTorch room."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("XLA_FLAGS", f"--xla_force_host_platform_device_count={THREADS}")
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")  # a GPU would round float32 products to 10 bits
    return jax


def jax_blocks(paths, block, run):
    """A function without arguments that gives the sample of all paths; run(key, block) is traced."""
    jax = import_jax()
    if w.gpu:
        whole = jax.jit(lambda key: run(key, paths))
        return lambda: np.asarray(whole(jax.random.PRNGKey(1)).block_until_ready(), dtype=float).reshape(-1)
    devices = jax.local_device_count()
    if paths % (block * devices):
        raise ValueError(f"{paths} paths: expected a multiple of the block, {block}, times {devices} devices")
    compiled = jax.pmap(lambda keys: jax.lax.map(lambda key: run(key, block), keys))
    keys = jax.random.split(jax.random.PRNGKey(1), paths // block).reshape(devices, -1, 2)
    return lambda: np.asarray(compiled(keys).block_until_ready(), dtype=float).reshape(-1)


def jax_points(function, *arrays, spread=False):
    """function, of one point's row of each array, mapped over all rows; `spread`: on all devices. Without it on one:
    on several at once, eigenproblems and factorizations wait for each other without end."""
    jax = import_jax()
    shape = (jax.local_device_count(), -1) if spread else (-1,)
    compiled = (jax.pmap if spread else jax.jit)(jax.vmap(function))
    rows = [jax.numpy.asarray(a).reshape(*shape, *a.shape[1:]) for a in arrays]
    return lambda: np.asarray(compiled(*rows).block_until_ready(), dtype=float).reshape(-1)
