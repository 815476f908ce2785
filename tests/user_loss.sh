#!/usr/bin/env bash
# Installs the built package into a temporary prefix, builds examples/user_loss and examples/own_run against it and runs
# them.
# Usage: user_loss.sh CMAKE BUILD_DIR EXAMPLE_DIR SANITIZERS CUDA_COMPILER (empty where there is none)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" --install "$2" --prefix "$work/prefix" >"$work/install.log"
"$1" -S "$3" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" \
  ${5:+-DCMAKE_CUDA_COMPILER="$5"} >"$work/configure.log"
"$1" --build "$work/build"
"$work/build/user_loss" | tee "$work/out"
[ "$(wc -l <"$3/user_loss.cpp")" -le 60 ] || { echo "the example has grown beyond 60 lines"; exit 1; }
[ "$(grep -c 'tr Hess' "$work/out")" = 7 ]
[ -z "${5:-}" ] || grep -q my_loss_on_gpu "$work/build/build.ninja" || { echo "the example was built without its GPU kernels"; exit 1; }
"$work/prefix/bin/sde" --version

# The component with the experiment reader and the dataset writer: the same numbers as the program's.
"$1" -S "$3/../own_run" -B "$work/own" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/own.log"
"$1" --build "$work/own"
ring="$3/../../experiments/ring.toml"
export SDE_MODULE_PATH="$work/prefix/lib/sde"
"$work/own/own_run" "$ring" "$work/own.nc" | tee "$work/own.out"
"$work/prefix/bin/sde" run "$ring" --set experiment.paths=64 --set experiment.pairs=0 --out "$work" --no-figure --json >"$work/run.json"
python3 - "$work" <<'PYTHON'
import json, re, sys
own = [float(x) for x in re.findall(r"tr Hess (\S+)", open(sys.argv[1] + "/own.out").read())]
run = [m["final"]["trace_hessian"]["mean"] for m in json.load(open(sys.argv[1] + "/run.json"))["methods"]]
assert len(own) == 4 and own == run, (own, run)
PYTHON
[ -s "$work/own.nc" ]
! "$work/own/own_run" "$work/none.toml" "$work/none.nc" 2>"$work/own.err"
grep -q "none.toml: cannot be read" "$work/own.err"

# The package looks for its own dependencies, and passes on where they are.
mkdir -p "$work/elsewhere/include"
cp -r "$(sed -n 's/^Random123_INCLUDE_DIR:PATH=//p' "$2/CMakeCache.txt")/Random123" "$work/elsewhere/include/"
"$1" -S "$3" -B "$work/moved" -G Ninja -DCMAKE_PREFIX_PATH="$work/elsewhere;$work/prefix" >"$work/moved.log"
grep -q "$work/elsewhere/include" "$work/moved/build.ninja" || { echo "Random123 was not taken from where it is"; exit 1; }
if "$1" -S "$3" -B "$work/without" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_DISABLE_FIND_PACKAGE_Random123=ON \
  >"$work/without.log" 2>&1; then
  echo "the package was found without Random123"; exit 1
fi
grep -q "Random123" "$work/without.log" || { cat "$work/without.log"; echo "expected Random123 to be named as missing"; exit 1; }
