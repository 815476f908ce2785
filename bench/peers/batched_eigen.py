#!/usr/bin/env python3
"""Rates of the batched library calls that a slow SDE of networks would be made of on a GPU, alone: symmetric
eigenproblems (torch.linalg.eigh: cuSOLVER) and products (torch.bmm: cuBLAS) of n x n matrices, beside the whole step of
`sde bench --device cuda`, which solves one eigenproblem.

    bench/peers/batched_eigen.py build/release/bin/sde
"""

import argparse
import json
import subprocess
import time

import torch

N = 20  # samples of the network of `sde bench`
WORK = "slow SDE, diagonal network d = 40, n = 20"


def rate(batch, function):
    """Matrices a second: the best of five calls after one."""
    best = 0.0
    for _ in range(6):
        torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        best = max(best, batch / (time.perf_counter() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sde", help="the built program")
    arguments = parser.parse_args()
    out = subprocess.run([arguments.sde, "bench", "--json", "--quiet", "--device", "cuda", "--only", WORK],
                         stdout=subprocess.PIPE, text=True, check=True)
    steps = {r["work"]: r["per_second"] for r in json.loads(out.stdout)["rates"]}
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; a second, n = {N}")
    for dtype, suffix in ((torch.float64, ""), (torch.float32, ", float")):
        print(f"{str(dtype):<14} whole steps of sde {steps[WORK + suffix]:.3g}")
        generator = torch.Generator("cuda").manual_seed(1)
        for batch in (1 << 10, 1 << 12, 1 << 14):
            a = torch.randn(batch, N, N, dtype=dtype, device="cuda", generator=generator)
            gram = a @ a.mT
            print(f"{'':<14} batches of {batch:>5}: eigenproblems {rate(batch, lambda: torch.linalg.eigh(gram)):.3g}, "
                  f"products {rate(batch, lambda: torch.bmm(a, a)):.3g}")


if __name__ == "__main__":
    main()
