#!/usr/bin/env bash
# Everything that only a GPU can show, in one run, without cargo, on a machine with an NVIDIA GPU.
#
#   kernels/gpu-check.sh --collect FOLDER [--dev]   where cargo is (with FEATURES=cuda): builds, strips and gathers what
#                                                   the other machine needs, this script included
#   FOLDER/gpu-check.sh [OPTIONS]                   there: checks, and writes a report
#
#   --report FILE     the report, one JSON object [gpu-check.json]
#   --torch SCRIPT    a script that times a step of PyTorch: SCRIPT MODEL STEPS cuda MODE [tf32], MODE
#                     eager, compile or graph; prints "ms/step median X"
#   --python PYTHON   for that script [python3]
#   --cifar PATH      CIFAR-10 as the program takes it, a folder or .tar.gz
#   --modes WORDS     PyTorch's modes, of eager,compile,graph [all]
#   --tools WORDS     compute-sanitizer's, of memcheck,racecheck,synccheck [all]
#   --only WORDS      of tests,sanitizer,determinism,exactness,cifar,times,sweep,networks [all]
#   --rounds N        rounds of each timing, ours and PyTorch's eager mode in turn [3]; its other modes,
#                     which take long to start, have one
#   --quick           small sizes, one round: to try this script
#
# Each check passes, fails, or is absent with a reason; the report is written after each. Exit status: 1 if one failed, or if REQUIRE_GPU
# is set and there is no GPU; else 0. SHATTER_EMULATOR=FOLDER checks on the emulator in that folder, and
# the report says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

collect() {
    local out=$1 flags=(--features "${FEATURES:-cuda}" --locked --message-format=json)
    [ "${2:-}" = --dev ] || flags+=(--release)
    mkdir -p "$out/tests"
    out=$(cd "$out" && pwd)
    cd "$here/.."
    local tests=() file
    for file in tests/cuda/*.rs; do
        tests+=(--test "cuda_$(basename "$file" .rs)")
    done
    # What cargo says of each executable: its kind, its name, where it is.
    {
        cargo build "${flags[@]}" --bin shatter
        cargo test --no-run "${flags[@]}" "${tests[@]}"
        cargo build "${flags[@]}" --bench cuda
    } | sed -nE 's/.*"target":\{"kind":\["(bin|test|bench)"\].*"name":"([^"]*)".*"executable":"([^"]*)".*/\1 \2 \3/p' |
        while read -r kind name path; do
            case $kind in
            bin) strip -o "$out/shatter" "$path" ;;
            bench) strip -o "$out/bench-cuda" "$path" ;;
            test) strip -o "$out/tests/$name" "$path" ;;
            esac
        done
    cp kernels/gpu-check.sh "$out/"
    ls "$out/tests" >"$out/tests.list"
    git describe --always --dirty --abbrev=12 >"$out/commit" 2>/dev/null || echo unknown >"$out/commit"
    for file in shatter bench-cuda commit $(for file in tests/cuda/*.rs; do echo "tests/cuda_$(basename "$file" .rs)"; done); do
        [ -s "$out/$file" ] || { echo "$file was not gathered" >&2; exit 2; }
    done
    du -sh "$out"
}

report=gpu-check.json torch='' python=python3 cifar='' quick='' rounds=3
all_modes=eager,compile,graph all_tools=memcheck,racecheck,synccheck
# Whether each of the words $2 of option $1 is one of the words $3.
known() {
    local word
    for word in ${2//,/ }; do
        case ",$3," in *",$word,"*) ;; *) echo "$1 $word: none of $3" >&2; exit 2 ;; esac
    done
}
torch_modes=$all_modes tools=$all_tools
all=tests,sanitizer,determinism,exactness,cifar,times,sweep,networks only=''
while [ $# -gt 0 ]; do
    case $1 in
    --collect)
        collect "${2:?where to}" "${3:-}"
        exit 0
        ;;
    --report) report=${2:?which file}; shift ;;
    --torch) torch=$(realpath "${2:?which script}"); shift ;;
    --python)
        python=${2:?which}
        # A path of a virtual environment must stay the link that it is.
        case $python in */*) python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python") ;; esac
        shift
        ;;
    --cifar) cifar=$(realpath "${2:?where}"); shift ;;
    --only)
        only=${2:?what}
        known --only "$only" "$all"
        shift
        ;;
    --modes)
        torch_modes=${2:?which}
        known --modes "$torch_modes" "$all_modes"
        shift
        ;;
    --tools)
        tools=${2:?which}
        known --tools "$tools" "$all_tools"
        shift
        ;;
    --rounds) rounds=${2:?how many}; shift ;;
    --quick) quick=yes ;;
    *) echo "unknown: $1" >&2; exit 2 ;;
    esac
    shift
done
only=${only:-$all}
export SHATTER_BIN=$here/shatter
[ -x "$SHATTER_BIN" ] || { echo "there is no program in $here: --collect gathers one" >&2; exit 2; }
report=$(realpath -m "$report")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
: >"$report"
# What the driver compiles is kept, wherever home is.
export CUDA_CACHE_PATH=$work/cache

# Text as a JSON string.
text() {
    printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

checks='' failed=0 passed=0
# Adds a check: name, pass, fail or absent, why or what, and more fields of JSON.
add() {
    checks+="${checks:+,
    }{\"name\": $(text "$1"), \"result\": \"$2\", \"why\": $(text "$3")${4:+, $4}}"
    [ "$2" != fail ] || failed=1
    [ "$2" != pass ] || passed=$((passed + 1))
    printf '%-34s %-7s %s\n' "$1" "$2" "$3"
    write_report false
}

wanted() { case ",$only," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }

emulated=false
if [ -n "${SHATTER_EMULATOR:-}" ]; then
    emulated=true
    SHATTER_EMULATOR=$(realpath "$SHATTER_EMULATOR")
    export SHATTER_EMULATOR
fi
# A command that must end: kernels that hang take nothing else with them.
limited() { timeout -k 10 "$@"; }
# The program, with the driver of this machine or the emulator's.
shatter() {
    if [ $emulated = true ]; then
        LD_LIBRARY_PATH=$SHATTER_EMULATOR limited 600 "$SHATTER_BIN" "$@"
    else
        limited 300 "$SHATTER_BIN" "$@"
    fi
}
# A field of JSON that holds a string or something shorter, as the program prints it, a line a field.
field() {
    sed -nE -e "s/^ *\"$1\": \"(([^\"\\\\]|\\\\.)*)\",?\$/\1/p" -e "s/^ *\"$1\": ([^\" ]+[^\" ,]|[^\" ,]),?\$/\1/p" |
        head -1 | sed 's/\\\(.\)/\1/g'
}
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.3f", b - a }'; }
median() { sort -g | awk '{ x[NR] = $1 } END { if (NR) print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
last() { tail -n "${2:-1}" "$1" | tr '\n' ' '; }

doctor=$(shatter doctor --json)
gpu=$(field gpu_found <<<"$doctor")
there=$(field gpu <<<"$doctor")
torch_version=''
smi=''
if [ $emulated = false ] && command -v nvidia-smi >/dev/null; then
    smi=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader | head -1) || smi=''
fi
sanitizer=''
if command -v compute-sanitizer >/dev/null; then
    sanitizer=$(compute-sanitizer --version 2>/dev/null | tail -1) || sanitizer='there, and does not say which'
fi

# Writes what is known so far; $1: whether that is all.
write_report() {
    cat >"$report" <<JSON
{
  "emulated": $emulated,
  "quick": $([ -n "$quick" ] && echo true || echo false),
  "complete": $1,
  "passed": $([ $failed = 0 ] && [ $passed -gt 1 ] && [ "$1" = true ] && echo true || echo false),
  "gpu": $(text "$gpu"),
  "driver": $(text "$smi"),
  "commit": $(text "$(cat "$here/commit")"),
  "build": $(text "$(field build <<<"$doctor")"),
  "machine": $(text "$(field machine <<<"$doctor")"),
  "torch": $(text "${torch_version:-}"),
  "compute_sanitizer": $(text "$sanitizer"),
  "date": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "checks": [
    $checks
  ]
}
JSON
}
trap 'write_report false; rm -rf "$work"' EXIT

check_tests() {
    local exe name left log kind
    while read -r name; do
        exe=$here/tests/$name name=tests/$name log=$work/log
        # They want the emulator's sources, or drivers that are not there.
        left=$("$exe" --list 2>/dev/null | sed -nE 's/^(emulated_.*): test$/\1/p' | paste -sd' ') || left=''
        if [ $emulated = true ]; then kind=emulated; else kind=gpu; fi
        local start status=0
        start=$(now)
        if [ $kind = gpu ]; then
            REQUIRE_GPU=1 limited 300 "$exe" --skip emulated_ --test-threads=1 --nocapture >"$log" 2>&1 || status=$?
        else
            limited 600 env -u REQUIRE_GPU "$exe" --skip emulated_ --nocapture >"$log" 2>&1 || status=$?
        fi
        local sum more
        sum=$(sed -nE 's/^test result: (.*)$/\1/p' "$log" | tail -1)
        more="\"seconds\": $(since "$start"), \"left_out\": $(text "$left")"
        if [ $status = 0 ] && ! grep -q ' 0 passed' <<<"$sum" && ! grep -q 'skipped: ' "$log"; then
            add "$name" pass "$sum" "$more"
        else
            add "$name" fail "status $status: $sum $(grep -m3 -E '^test .*FAILED|panicked|skipped: ' "$log" | tr '\n' ' ')" "$more"
        fi
    done <"$here/tests.list"
}

# Images as CIFAR-10's files have them: 160 and 32, of bytes of the program.
images() {
    local file i first=0
    mkdir -p images
    for file in data_batch_{1..5} test_batch; do
        for i in $(seq $first $((first + 31))); do
            printf "\\x0$((i % 10))"
            dd if="$SHATTER_BIN" bs=3072 skip="$i" count=1 status=none
        done >images/$file.bin
        first=$((first + 32))
    done
}

# What the sanitizer sees: steps and their evaluation, of a perceptron and of a convolutional network
# with layers of every kind, in tiles of every height, in each precision; all terms of a small network.
# Calls its arguments with a name and the words of a command.
each_command() {
    local precision train=(--labels random --epochs 1 --until-accuracy never --device cuda)
    local layers='conv(7,3,pad=1) batchnorm relu conv(40,3,pad=1) relu maxpool(3,stride=2,pad=1) relu conv(60,1) conv(70,1) relu lrn(5)'
    layers+=' [conv(5,1)|meanpool(3,stride=1,pad=1)] conv(7,5,stride=2) dropout(0.2) globalmeanpool flatten dense(9) relu'
    images
    for precision in f32 tf32 bf16; do
        "$@" perceptron-$precision train gaussian:n=70,d=300,classes=10 --no-test --batch 70 --model mlp:130,70 \
            --precision $precision "${train[@]}"
        "$@" images-$precision train cifar10:images,first=48 --crop 12 --batch 24 --model "$layers" \
            --precision $precision "${train[@]}"
        "$@" augmented-$precision train cifar10:images,first=48 --crop 12 --batch 24 --model "$layers" \
            --augment crop,flip,rotate:25 --weight-decay 0.001 --loss squared --precision $precision "${train[@]}"
    done
    "$@" terms fit lattice:n=1001,d=3,range=2001 --labels random --device cuda
}

sanitized() {
    local tool=$1 name=sanitizer/$1/$2 log=$work/log status=0
    shift 2
    limited 300 compute-sanitizer --tool "$tool" --error-exitcode 99 "$SHATTER_BIN" "$@" --out "sanitized/$name" >"$log" 2>&1 || status=$?
    if [ $status = 4 ] && grep -q 'its compute capability is' "$log"; then
        add "$name" absent "$(last "$log")"
    # 1: not fitted, which nobody asked for.
    elif [ $status -le 1 ] && grep -qE 'SUMMARY: 0 (errors|hazards)' "$log"; then
        add "$name" pass "$(grep 'SUMMARY' "$log" | tail -1)"
    else
        add "$name" fail "status $status: $(last "$log" 3)"
    fi
}

# The emulator's log of kernels.
logged() {
    local name=$1
    shift
    SHATTER_EMULATOR_LOG=$work/kernels shatter "$@" --out "logged/$name" >log 2>&1 || true
}

check_sanitizer() {
    local tool
    if [ $emulated = true ]; then
        # It has no sanitizer, and says which kernels one would see: all that are in the program.
        each_command logged
        grep -aoE '\.entry [a-z0-9_]+\(' "$SHATTER_BIN" | sed -E 's/\.entry (.*)\(/\1/' | sort -u >entries
        local missing
        missing=$(sort -u kernels | comm -13 - entries | paste -sd' ')
        if [ -s entries ] && [ -z "$missing" ]; then
            add sanitizer/kernels pass "its commands launch all $(wc -l <entries) kernels"
        else
            add sanitizer/kernels fail "its commands do not launch: $missing"
        fi
        add sanitizer absent 'the emulator is no GPU'
        return
    fi
    for tool in ${tools//,/ }; do
        if command -v compute-sanitizer >/dev/null; then
            each_command sanitized $tool
        else
            add sanitizer/$tool absent 'compute-sanitizer is not installed'
        fi
    done
}

check_determinism() {
    local precision run status hashes network
    images
    for network in perceptron images; do
        local words=(gaussian:n=999,d=300,classes=10 --no-test --model mlp:67,33)
        [ $network = perceptron ] || words=(cifar10:images,first=64 --crop 14 --batch 20 --model
            'conv(40,3,pad=1) batchnorm relu maxpool(3,stride=2,pad=1) conv(9,3,stride=2) relu globalmeanpool flatten')
        for precision in f32 tf32 bf16; do
            local name=determinism/$network-$precision
            status=0
            for run in 1 2; do
                shatter train "${words[@]}" --labels random --epochs 3 --until-accuracy never --precision $precision \
                    --device cuda --out "$name-$run" >log 2>&1 || status=$?
            done
            if [ $status = 4 ] && grep -q 'its compute capability is' log; then
                add "$name" absent "$(last log)"
                continue
            fi
            hashes=$(sha256sum "$name"-*/checkpoint.safetensors 2>/dev/null | cut -d' ' -f1 | paste -sd' ') || true
            set -- $hashes
            if [ $status = 0 ] && [ $# = 2 ] && [ "$1" = "$2" ]; then
                add "$name" pass "two runs, one checkpoint" "\"sha256\": \"$1\""
            else
                add "$name" fail "status $status: $hashes $(last log)"
            fi
        done
    done
}

check_exactness() {
    local n=60000 status=0 cpu gpu_time
    [ -z "$quick" ] || n=3001
    local sample=lattice:n=$n,d=10,range=2001
    shatter fit "$sample" --labels random --brute-force --device cuda --out exact >cuda.txt 2>&1 || status=$?
    shatter fit "$sample" --labels random --brute-force --device cpu --out exact-cpu >cpu.txt 2>&1 || status=$?
    local found='' exact='' device=''
    if [ -e exact/fit.json ]; then
        found=$(field brute_force_f64 <exact/fit.json) exact=$(field binary64 <exact/fit.json)
        device=$(field brute_force_device <exact/fit.json)
    fi
    seconds() { sed -nE 's/^brute force .* terms, ([0-9.]+) s .*/\1/p' "$1"; }
    gpu_time=$(seconds cuda.txt) cpu=$(seconds cpu.txt)
    if [ $status = 0 ] && [ "$found" = 0.0 ] && [ "$exact" = true ] && [ -n "$gpu_time" ]; then
        add exactness pass "residual 0 at $n points on $device" \
            "\"points\": $n, \"seconds\": $gpu_time, \"seconds_on_cpu\": $cpu"
    else
        add exactness fail "status $status, residual '$found', float-exact '$exact': $(last cuda.txt 2)"
    fi
}

# Milliseconds of a step, of ours or PyTorch's, from the line that is printed.
step_of() { sed -nE 's/.*ms\/step median ([0-9.]+).*/\1/p' | tail -1; }

bench() {
    if [ $emulated = true ]; then
        LD_LIBRARY_PATH=$SHATTER_EMULATOR limited 600 "$here/bench-cuda" "$@"
    else
        limited 120 "$here/bench-cuda" "$@"
    fi
}

# Sets `rivals` to modes that can be run, and `no_rivals` to why there are none.
find_rivals() {
    rivals='' no_rivals=''
    if [ $emulated = true ]; then no_rivals='the emulator is no GPU'; return; fi
    if [ -z "$torch" ]; then no_rivals='no --torch'; return; fi
    if ! "$python" -c 'import torch; assert torch.cuda.is_available()' 2>log; then
        no_rivals="no PyTorch on this GPU: $(last log)"
        return
    fi
    torch_version=$("$python" -c 'import torch; print(torch.__version__)')
    rivals=${torch_modes//,/ }
}

# The fastest of PyTorch's medians in `best`, by precision, for the sweep.
declare -A best
check_times() {
    local precision
    if [ -n "$quick" ]; then
        time_model mlp:16 '' 50 f32 1 # the emulator's tensor cores are slow
        return
    fi
    for precision in f32 tf32 bf16; do
        time_model mlp1x512 mlp1 1000 $precision "$rounds"
    done
}

check_networks() {
    local precision
    if [ -n "$quick" ]; then
        add networks absent 'not with --quick'
        return
    fi
    for precision in f32 tf32 bf16; do
        time_model alexnet alexnet 300 $precision "$rounds"
        time_model inception inception 100 $precision "$rounds"
    done
}

# Steps of one network, ours and PyTorch's in turn. PyTorch's script knows no BF16.
time_model() {
    local model=$1 theirs_name=$2 steps=$3 precision=$4 rounds=$5
    local name=times/$model/$precision modes=$rivals word='' mode round status=0
    [ $precision = f32 ] || word=tf32
    [ $precision != bf16 ] || modes=''
    : >ours
    for mode in $modes; do : >"torch-$mode"; done
    for round in $(seq "$rounds"); do
        bench "$model" "$steps" "$precision" >log 2>&1 || { status=$?; break; }
        step_of <log >>ours
        for mode in $modes; do
            [ "$round" = 1 ] || [ "$mode" = eager ] || continue
            limited 200 "$python" "$torch" "$theirs_name" "$steps" cuda "$mode" $word >"log-$mode" 2>&1 || true
            step_of <"log-$mode" >>"torch-$mode"
        done
    done
    if grep -q '^skipped: .*its compute capability is' log; then
        add "$name" absent "$(last log)"
        return
    fi
    if [ $status != 0 ] || [ "$(wc -l <ours)" != "$rounds" ]; then
        add "$name" fail "status $status in round $round: $(last log)"
        return
    fi
    local ours more least='' theirs missing=''
    ours=$(median <ours)
    more="\"model\": \"$model\", \"batch\": 128, \"steps\": $steps, \"rounds\": $rounds, \"ms_per_step\": $ours"
    for mode in $modes; do
        local wanted_lines=1
        [ "$mode" != eager ] || wanted_lines=$rounds
        theirs=$(median <"torch-$mode")
        if [ "$(wc -l <"torch-$mode")" != $wanted_lines ]; then
            missing+="; PyTorch's $mode failed: $(last "log-$mode")"
            more+=", \"torch_$mode\": null"
            continue
        fi
        more+=", \"torch_$mode\": $theirs, \"ratio_$mode\": $(ratio "$theirs" "$ours")"
        [ -n "$least" ] && awk -v a="$theirs" -v b="$least" 'BEGIN { exit !(a >= b) }' || least=$theirs
    done
    # Without one of the modes nobody knows which is the fastest.
    [ -z "$missing" ] && [ "$torch_modes" = $all_modes ] || least=''
    [ "$model" != mlp1x512 ] || best[$precision]=$least
    [ -z "$least" ] || more+=", \"ratio_to_fastest\": $(ratio "$least" "$ours")"
    add "$name" pass "$ours ms a step${least:+; PyTorch at best $least}${no_rivals:+; $no_rivals}$missing" "$more"
}

# A step of 32 replicas: the difference of two lengths of the same command.
check_sweep() {
    local n=6400 model=mlp1x512 short=2 long=102 replicas=32 epochs round rounds=$rounds
    [ -z "$quick" ] || { n=256 model=mlp:16 short=1 long=2 rounds=1; }
    if ! shatter randomize --help | grep -q -- --replicas; then
        add sweep absent 'this program has no randomize --replicas'
        return
    fi
    local seeds
    seeds=$(seq -s, 0 $((replicas - 1)))
    : >differences
    for round in $(seq $rounds); do
        local took=()
        for epochs in $short $long; do
            local start status=0
            start=$(now)
            shatter randomize gaussian:n=$n,d=2352,classes=10 --no-test --conditions random --seeds "$seeds" \
                --replicas $replicas --model $model --learning-rate 0.001 --epochs $epochs --until-accuracy never \
                --device cuda --checkpoint-every 3600 --out "sweep-$round-$epochs" >log 2>&1 || status=$?
            # 1: not fitted, which nobody asked for.
            if [ $status -gt 1 ] || [ ! -e "sweep-$round-$epochs/table.json" ]; then
                add sweep fail "status $status: $(last log 2)"
                return
            fi
            took+=("$(since "$start")")
        done
        awk -v a="${took[0]}" -v b="${took[1]}" -v steps=$(((long - short) * n / 128)) \
            'BEGIN { print (b - a) * 1e3 / steps }' >>differences
        rm -rf sweep-"$round"-*
    done
    local step more one=${best[f32]:-}
    step=$(median <differences)
    if ! awk -v step="$step" 'BEGIN { exit !(step > 0) }'; then
        add sweep fail "a longer run took no longer: $step ms a step"
        return
    fi
    more="\"model\": \"$model\", \"batch\": 128, \"replicas\": $replicas, \"ms_per_step_of_all\": $step"
    more+=", \"rounds_of_all\": [$(paste -sd, differences)]"
    [ -z "$one" ] || more+=", \"torch_one_by_one\": $(ratio "$one" 1 | awk -v r=$replicas '{ print $1 * r }'), \"ratio\": $(ratio "$(awk -v o="$one" -v r=$replicas 'BEGIN { print o * r }')" "$step")"
    add sweep pass "$step ms a step of $replicas replicas" "$more"
}

check_cifar() {
    if [ -z "$cifar" ]; then
        add cifar absent 'no --cifar'
        return
    fi
    local start status=0
    start=$(now)
    shatter train "cifar10:$cifar" --labels random --rate-decay 0.99 --epochs 150 --device cuda \
        --out cifar >log 2>&1 || status=$?
    local more
    more="\"seconds\": $(since "$start")"
    if [ $status = 0 ]; then
        add cifar pass "$(grep '^ended' log) $(grep '^training set' log)" "$more"
    else
        add cifar fail "status $status: $(last log 4)" "$more"
    fi
}

if [ "$there" != true ]; then
    if [ -n "${REQUIRE_GPU:-}" ]; then
        add gpu fail "REQUIRE_GPU is set: $gpu"
    else
        add gpu absent "$gpu"
    fi
else
    add gpu pass "$gpu"
    find_rivals
    # What is right before what is fast: there may not be time for all.
    for group in ${all//,/ }; do
        if wanted "$group"; then "check_$group"; else add "$group" absent 'not among --only'; fi
    done
fi

trap 'rm -rf "$work"' EXIT
write_report true
echo "report: $report"
exit $failed
