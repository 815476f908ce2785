#!/usr/bin/env python3
"""What the compiler made of the GPU kernels: registers, stack and resident warps of each, and the instructions of a
step in its loop, counted in the machine code. Needs no GPU, but cuobjdump and nvdisasm of the CUDA toolkit (or from PyPI:
nvidia-cuda-cuobjdump, nvidia-cuda-nvdisasm).

    bench/gpu_instructions.py build/release/lib/sde/kernels-cuda.so

Counted is a turn of the step loop, with two columns of constant noise or one sample a step. Instructions behind a
branch that it takes once in a while count for their share: a block of numbers is made once for 4 normals (128 signs).
Calls for arguments that a division or root almost never has (subnormal numbers, infinities) count as not taken; where a
loop has two ways, for kinds of noise, the one with random numbers counts; of constant noise's two, the one for any
factor or, where the name says so, the one for a diagonal factor.
"""

import argparse
import re
import shutil
import subprocess
import sys

MULTIPLIER = re.compile(r"0xd2511f53|-0x2daee0ad")
REGISTERS_OF_MULTIPROCESSOR, WARPS_OF_MULTIPROCESSOR, THREADS_OF_BLOCK = 65536, 64, 128


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def resources(module, architecture):
    """Registers and stack bytes of each function."""
    found, name = {}, None
    for line in run("cuobjdump", "-res-usage", "-arch", architecture, module).splitlines():
        if match := re.match(r"\s*Function (\S+):", line):
            name = match[1]
        elif name and (match := re.search(r"REG:(\d+) STACK:(\d+).*LOCAL:(\d+)", line)):
            found[name] = (int(match[1]), int(match[2]) + int(match[3]))
    return found


def functions(module, architecture):
    """The instructions of each function: (address, text)."""
    found, name = {}, None
    for line in run("cuobjdump", "-sass", "-arch", architecture, module).splitlines():
        if match := re.match(r"\s*Function : (\S+)", line):
            name = match[1]
            found[name] = []
        elif name and (match := re.match(r"\s*/\*([0-9a-f]{4,})\*/\s+(.*?);", line)):
            found[name].append((int(match[1], 16), match[2]))
    return found


def branch(text):
    """Target of a branch, None for anything else."""
    match = re.search(r"\bBRA\b.*?(0x[0-9a-f]+)", text)
    return int(match[1], 16) if match else None


def loops_around_words(code):
    """(begin, end) of the loops that make random numbers, by depth: those with no such loop inside, those around them,
    and so on."""
    words = [address for address, text in code if MULTIPLIER.search(text)]
    loops = {(target, address) for address, text in code if (target := branch(text)) is not None and target < address
             and any(target <= w <= address for w in words)}
    levels = []
    while loops:
        inner = {l for l in loops if not any(m != l and l[0] <= m[0] and m[1] <= l[1] for m in loops)}
        levels.append(inner)
        loops -= inner
    return levels


def count_step(code, draws_of_block, columns, diagonal=False):
    """Instructions of a turn of the step loop. columns: how often it runs the loop around the numbers inside it, None
    where there is no such loop. diagonal: it goes the other way, without that loop, where there are two."""
    levels = loops_around_words(code)
    begin, end = max(levels[0 if columns is None else 1], key=lambda l: l[1] - l[0])
    inside = [(a, t) for a, t in code if begin <= a <= end]
    share = {a: 1.0 for a, _ in inside}
    if columns is not None:
        for inner in levels[0]:
            for a, _ in inside:
                if inner[0] <= a <= inner[1]:
                    share[a] = columns
    skips = [(a, target) for a, t in inside
             if t.startswith("@") and (target := branch(t)) is not None and a < target <= end]
    for at, target in sorted(skips, key=lambda s: s[0] - s[1]):  # the widest first
        body = [(a, t) for a, t in inside if at < a < target]
        join = branch(body[-1][1]) if body and body[-1][1].startswith("BRA") else None
        other = [(a, t) for a, t in inside if target <= a < (join or 0)]
        if columns and all(any(MULTIPLIER.search(t) for _, t in way) for way in (body, other)):
            looped = any(at < l[0] and l[1] < target for l in levels[0])
            for a, _ in other if looped == (not diagonal) else body:
                share[a] = 0.0
        elif any(MULTIPLIER.search(t) for _, t in body):
            if not any(at < l[0] and l[1] < target for level in levels for l in level):
                draws = 1 if diagonal else columns or 1
                for a, _ in body:
                    share[a] = min(share[a], draws / draws_of_block)
        elif len(body) < 24 and any("CALL.REL" in t for _, t in body):
            for a, _ in body:
                share[a] = 0.0
        elif body and body[-1][1].startswith("BRA"):  # the other way round a branch
            for a, _ in body:
                share[a] = 0.0
    return sum(share.values())


# Name, kernel, draws of a block; for what is counted: the columns of noise in a step, None where the step loop draws
# itself. No count where arrays of run-time size make the loops.
NAMES = [
    ("standard normals", r"4DrawINS_6random12NormalStreamE{S}E", 4, None),
    ("two-point increments", r"4DrawINS_6random10SignStreamE{S}E", 128, None),
    ("linear SDE", r"9LinearSdeINS_6random12NormalStreamE{S}E", 4, None),
    ("linear SDE, weak", r"9LinearSdeINS_6random10SignStreamE{S}E", 128, None),
    ("Local SGD, hyperbola, label noise", r"13DiscreteStepsINS_4loss9HyperbolaE{S}{RULE}Lj1E", 4, None),
    ("Local SGD, ring, label noise", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj1E", 4, None),
    ("Local SGD, ring, two-point labels", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj2E", 128, 0),
    ("Local SGD, ring, constant noise", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj8E", 4, 2),
    ("the same, diagonal", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj8E", 4, 2, True),
    ("Local SGD, ring, labels and noise", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj11E"),
    ("conventional SDE, ring, Gaussian", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj25E"),
    ("conventional SDE, ring, two-point", r"13DiscreteStepsINS_4loss4RingE{S}{RULE}Lj42E"),
    ("pairs on common noise, ring", r"11PairedStepsINS_4loss4RingE{RULE}E"),
    ("slow SDE, valley, constant noise", r"9SlowStepsINS_4loss6ValleyE{S}E", 4, 2),
    ("slow SDE, hyperbola, constant noise", r"9SlowStepsINS_4loss9HyperbolaE{S}E", 4, 2),
    ("slow SDE, ring, constant noise", r"9SlowStepsINS_4loss4RingE{S}E", 4, 2),
    ("the same, diagonal", r"9SlowStepsINS_4loss4RingE{S}E", 4, 2, True),
    ("observation, ring", r"7ObserveINS_4loss4RingEE"),
    ("observation, diagonal network", r"7ObserveINS_4loss17DiagonalNetworkOfIPKdEEE"),
    ("diagonal network, labels, samples", r"loneINS0_13DiscreteStepsINS_4loss17DiagonalNetworkOfIPKdEE{S}{RULE}Lj5E"),
    ("diagonal network, any noise", r"loneINS0_13DiscreteStepsINS_4loss17DiagonalNetworkOfIPKdEE{S}{RULE}Lj63E"),
    ("diagonal network, any noise, warp", r"teamINS0_13DiscreteStepsINS_4loss17DiagonalNetworkOfIPKdEE{S}{RULE}L"),
    ("diagonal network, slow SDE", r"9SlowStepsINS_4loss17DiagonalNetworkOfIPKdEE{S}E"),
    ("tanh network, labels, samples", r"loneINS0_13DiscreteStepsINS_4loss13TanhNetworkOfIPKdEE{S}{RULE}Lj5E"),
    ("tanh network, any noise", r"loneINS0_13DiscreteStepsINS_4loss13TanhNetworkOfIPKdEE{S}{RULE}Lj63E"),
    ("tanh network, any noise, warp", r"teamINS0_13DiscreteStepsINS_4loss13TanhNetworkOfIPKdEE{S}{RULE}L"),
    ("tanh network, slow SDE", r"9SlowStepsINS_4loss13TanhNetworkOfIPKdEE{S}E"),
    ("matrix sensing, slow SDE", r"9SlowStepsINS_4loss15MatrixSensingOfIPKdEE{S}E"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--arch", default="sm_90")
    arguments = parser.parse_args()
    for tool in ("cuobjdump", "nvdisasm"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not on PATH: expected that of the CUDA toolkit; pip install nvidia-cuda-{tool} has it too")
    used, code = resources(arguments.module, arguments.arch), functions(arguments.module, arguments.arch)
    print(f"{arguments.arch}\n{'kernel':<36} {'':<7} {'registers':>9} {'stack':>6} {'warps':>6} {'step':>8}")
    for name, pattern, *how in NAMES:
        for precision, letter in (("double", "d"), ("float", "f"))[:2 if "{S}" in pattern else 1]:
            found = [f for f in code if re.search(pattern.replace("{RULE}", "NS_8discrete11AveragedSgdE").replace("{S}", letter), f)]
            if len(found) != 1:
                sys.exit(f"{name}: expected one kernel {pattern}, found {len(found)}")
            registers, stack = used[found[0]]
            blocks = REGISTERS_OF_MULTIPROCESSOR // (-(-registers // 8) * 8 * THREADS_OF_BLOCK)
            warps = min(WARPS_OF_MULTIPROCESSOR, blocks * THREADS_OF_BLOCK // 32)
            step = f"{count_step(code[found[0]], *how):8.0f}" if how else ""
            print(f"{name:<36} {precision:<7} {registers:>9} {stack:>6} {warps:>6} {step:>8}")


if __name__ == "__main__":
    main()
