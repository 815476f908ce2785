"""Paths of PyTorch's optimizers on 1/2 (x y - 1)^2 from (1.8, 0.9), 1,000 steps in double, for tests/test_linear_methods.cpp
and tests/test_adaptive_methods.cpp: writes torch_paths.hpp beside itself. Needs PyTorch (2.15.0 made the committed file)."""

import os

import torch

torch.set_default_dtype(torch.float64)

CASES = {
    "heavy_ball": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.002, alpha=0.99, eps=1e-3),
    "adam": lambda p: torch.optim.Adam(p, lr=0.003, betas=(0.9, 0.99), eps=1e-3),
}

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_paths.hpp"), "w") as file:
    file.write(f"// Made by make_torch_paths.py, PyTorch {torch.__version__.split('+')[0]}: x, y after 1, 10, 100 and 1,000 steps.\n#pragma once\n\n")
    for name, make in CASES.items():
        theta = torch.tensor([1.8, 0.9], requires_grad=True)
        optimizer = make([theta])
        rows = []
        for step in range(1, 1001):
            optimizer.zero_grad()
            (0.5 * (theta[0] * theta[1] - 1) ** 2).backward()
            optimizer.step()
            if step in (1, 10, 100, 1000):
                rows.append("{" + ", ".join(repr(v) for v in theta.tolist()) + "}")
        file.write(f"inline constexpr double kTorch_{name}[4][2] = {{{', '.join(rows)}}};\n")
