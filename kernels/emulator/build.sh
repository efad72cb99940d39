#!/usr/bin/env bash
# Builds the emulator: OUT/libcuda.so.1, which runs the kernels of KERNELS (this repository's, if not
# given) on the processor. With it in the library path the program finds a device.
#
#   kernels/emulator/build.sh OUT [--address-sanitizer] [--kernels FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?where to}
shift
kernels=$here/..
sanitizer=()
while [ $# -gt 0 ]; do
    case $1 in
    --address-sanitizer) sanitizer=(-fsanitize=address,alignment -fsanitize-undefined-trap-on-error -g) ;;
    --kernels) kernels=${2:?which folder}; shift ;;
    *) echo "unknown: $1" >&2; exit 2 ;;
    esac
    shift
done
mkdir -p "$out"
# Contracted nowhere but in fmaf, as nvcc is told to, so that both round alike.
g++ -std=c++17 -O2 -march=native -ffp-contract=off -fPIC -shared -pthread -Wall -Wextra \
    -Wno-unknown-pragmas -Wl,-Bsymbolic "${sanitizer[@]}" -DSHATTER_EMULATOR -I "$kernels" -I "$here/.." \
    -Wl,-soname,libcuda.so.1 -o "$out/libcuda.so.1.$$" \
    -x c++ "$here"/fibers.cpp "$here"/libcuda.cpp "$kernels"/*.cu
mv "$out/libcuda.so.1.$$" "$out/libcuda.so.1" # whole or not at all
