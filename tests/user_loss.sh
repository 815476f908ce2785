#!/usr/bin/env bash
# Installs the built package into a temporary prefix, builds examples/user_loss against it and runs it.
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
