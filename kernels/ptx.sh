#!/usr/bin/env bash
# Compiles kernels/*.cu to kernels/ptx/*.ptx, which are checked in and embedded in the program, with
# the compiler of pinned wheels; prints what each kernel takes of a multiprocessor.
#
#   kernels/ptx.sh           writes them
#   kernels/ptx.sh --check   compares them byte for byte with what is checked in, and writes nothing;
#                            a difference compiles again, up to 3 times (see below)
set -euo pipefail
cd "$(dirname "$0")"
# compute_75 is the oldest architecture that this compiler knows; newer devices take its PTX. Kernels
# on tensor cores (tensor_*.cu) want compute_80.
architecture_of() { case $1 in tensor_*) echo 80 ;; *) echo 75 ;; esac; }
wheels="nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85"
cache=${SHATTER_NVCC:-${XDG_CACHE_HOME:-$HOME/.cache}/shatter/nvcc-13.0.88}
if [ ! -e "$cache/complete" ]; then
    python3 -m venv "$cache"
    # shellcheck disable=SC2086
    "$cache/bin/pip" install --quiet --disable-pip-version-check $wheels
    touch "$cache/complete"
fi
root=$(echo "$cache"/lib/python3*/site-packages/nvidia/cu13)
chmod +x "$root"/bin/* "$root"/nvvm/bin/* # pip drops the bit of some

# This compiler orders some things by where they lie in memory, so that what comes out depends on
# lengths of paths and of the environment, and on chance: so these are always the same ones, and a
# source that gives something else is compiled again.
work=$(mktemp -d /tmp/shatter-ptx-XXXXXXXX)
trap 'rm -rf "$work"' EXIT
cp ./*.cu ./*.h "$work"
ln -s "$root" "$work/cuda"
compile() { # the PTX of a family
    # Nothing is contracted that is not written as fmaf, so that the emulator and the processor
    # round alike; no line information, so that no folder stands in the PTX.
    (cd "$work" && env -i PATH=/usr/bin:/bin TMPDIR=/tmp cuda/bin/nvcc -std=c++17 -O3 -fmad=false \
        -Werror all-warnings -arch="compute_$(architecture_of "$1")" -ptx "$1.cu" -o "$1.raw")
    # Names of what is internal to a file hold a digest of the folder that it lies in.
    sed -E 's/_INTERNAL_[0-9a-f]{8}_/_INTERNAL_00000000_/g' "$work/$1.raw" >"$work/$1.ptx"
}
for source in *.cu; do
    name=${source%.cu}
    compile "$name"
    for _ in $(seq 3); do
        [ "${1:-}" = --check ] && ! cmp -s "$work/$name.ptx" "ptx/$name.ptx" || break
        compile "$name"
    done
    "$root/bin/ptxas" -v -arch="sm_$(architecture_of "$name")" "$work/$name.ptx" -o "$work/$name.cubin" \
        2>"$work/$name.log"
done

printf '%-24s %9s %12s %6s\n' kernel registers shared spills
for log in "$work"/*.log; do
    sed 's/^ptxas info *: *//' "$log" | awk '
        /Compiling entry function/ { split($0, part, "\047"); kernel = part[2] }
        /bytes spill stores/ { spills = 0; for (i = 1; i < NF; i++) if ($(i + 2) == "spill") spills += $i }
        /^Used/ { shared = 0; for (i = 1; i < NF; i++) if ($(i + 1) == "bytes" && $(i + 2) ~ /smem/) shared = $i
            printf "%-24s %9d %12d %6d\n", kernel, $2, shared, spills }'
done

if [ "${1:-}" = --check ]; then
    fail=0
    for file in "$work"/*.ptx; do
        cmp "$file" "ptx/$(basename "$file")" || fail=1
    done
    for file in ptx/*.ptx; do
        [ -e "$work/$(basename "$file")" ] || { echo "$file has no source"; fail=1; }
    done
    [ $fail = 0 ] || { echo "kernels/ptx is not what kernels/*.cu compile to: run kernels/ptx.sh" >&2; exit 1; }
    echo "kernels/ptx is what the sources compile to"
else
    mkdir -p ptx
    cp "$work"/*.ptx ptx/
fi
