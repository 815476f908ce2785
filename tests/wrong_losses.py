"""Losses with a mistake each: the compiler's first error names the member or the function and what to write instead, in
less than twenty lines (thirty of Clang's). Usage: wrong_losses.py FOLDER COMPILER FLAGS...

A file begins with `// expect: TEXT`, or `// expect: TEXT|TEXT` where compilers have words of their own, and
`// lines: any` where the language leaves the number of lines to them."""

import concurrent.futures
import os
import subprocess
import sys

MOST_LINES = {"gcc": 19, "clang": 29}  # Clang shows where macros come from


def complaints(file, command):
    """What is wrong with the compiler's answer to one file; the first line of its answer."""
    with open(file) as f:
        head = [line[3:].strip() for line in f if line.startswith("// ")]
    expected = next(h[len("expect: "):] for h in head if h.startswith("expect: ")).split("|")
    r = subprocess.run([*command, file], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    lines = r.stderr.splitlines()
    errors = [line for line in lines if "error:" in line]
    most = MOST_LINES["clang" if "clang" in os.path.basename(command[0]) else "gcc"]
    found = []
    if r.returncode == 0 or not errors:
        return ["it compiles"], ""
    if not any(e in errors[0] for e in expected):
        found.append(f"the first error does not say '{' or '.join(expected)}'")
    if "lines: any" not in head and len(lines) > most:
        found.append(f"{len(lines)} lines, expected at most {most}")
    return found, errors[0]


def main():
    folder, *command = sys.argv[1:]
    files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".cpp"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for file, (found, first) in zip(files, pool.map(lambda f: complaints(f, command), files)):
            failed += bool(found)
            print(f"{'FAIL' if found else 'ok':<5}{os.path.basename(file):<28}{first}")
            for complaint in found:
                print(f"     {complaint}")
    if not files:
        sys.exit(f"no files in {folder}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
