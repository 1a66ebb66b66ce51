#!/usr/bin/env bash
# Finds or builds the Python environment and prints its interpreter as the last line.
#
#   python=$(bash tools/env.sh | tail -n 1)
#   bash tools/env.sh --with-tests      the environment must also hold pytest and ruff
#
# If the `python` of the caller meets the requirements, that one is used. Otherwise the
# tested set (requirements/constraints.txt) is installed once per machine, outside the
# checkout, under ${XDG_CACHE_HOME:-~/.cache}/openvocab/envs/KEY. KEY changes with the
# requirement files, Python and torch. A build that was interrupted is never reused.
#
# mmcv is compiled from source, which takes minutes; the wheel is kept in
# ${XDG_CACHE_HOME:-~/.cache}/openvocab/wheels. OPENVOCAB_WHEELS may name a folder that
# holds a ready one for this Python and torch (for example .../py311-torch2.12.1).
set -euo pipefail

recipe=2 # counts changes of the steps below that must rebuild existing environments
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
requirements=$root/requirements
cache=${XDG_CACHE_HOME:-$HOME/.cache}/openvocab
check_args=()
case ${1:-} in
'') ;;
--with-tests) check_args=(--also tests.txt --also lint.txt) ;;
*)
    sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

say() { printf '[env] %s\n' "$*" >&2; }
clock() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }
pinned() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" "$requirements/constraints.txt"; }
check() { "$1" "$root/tools/misc/check_env.py" "${@:2}"; }

# ---- 1. the caller's own environment
for candidate in python python3; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if check "$path" --imports \
        ${check_args[@]+"${check_args[@]}"} >/dev/null 2>&1; then
        say "using the caller's environment"
        "$path" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done

# ---- 2. an environment built earlier
base=
for candidate in python3.11 python3 python python3.12 python3.10; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' \
        >/dev/null 2>&1; then
        base=$candidate
        break
    fi
done
if [ -z "$base" ]; then
    say 'error: no Python >= 3.10 with the venv module in PATH (3.11 is the tested one)'
    exit 1
fi
python_version=$("$base" -c 'import platform; print(platform.python_version())')
python_tag=$("$base" -c 'import sys; print("%d%d" % sys.version_info[:2])')
torch_version=$(pinned torch)
mmcv_version=$(pinned onedl-mmcv)

# Operators for the GPU need a compiler for it; without one they are built for the CPU.
flavour=
if nvidia-smi -L >/dev/null 2>&1; then
    if command -v nvcc >/dev/null 2>&1 || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; then
        flavour=-cuda
    else
        no_nvcc='a GPU but no nvcc here: mmcv.ops are built for the CPU only'
    fi
fi
wheel_tag=py$python_tag-torch$torch_version$flavour
key=$({
    echo "$recipe $python_version $torch_version$flavour $(uname -sm)"
    for name in runtime onedl tests lint constraints; do
        cat "$requirements/$name.txt"
    done
} | sha256sum | cut -c1-12)
env=$cache/envs/$key
log=$cache/envs/$key.log
if [ -f "$env/.complete" ]; then
    echo "$env/bin/python"
    exit 0
fi

# ---- 3. a new one; the lock passes to the child processes, so that what an interrupted
# call left running is waited for before its environment is wiped
mkdir -p "$cache/envs" "$cache/wheels"
if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/envs/$key.lock"
    until flock -w 20 9; do
        say "waiting for another build of this environment: $(tail -n 1 "$log" | cut -c1-70)"
    done
    if [ -f "$env/.complete" ]; then
        echo "$env/bin/python"
        exit 0
    fi
fi

child=
stop() {
    trap - INT TERM HUP
    [ -z "$child" ] || kill -TERM -- "-$child" 2>/dev/null || true
    say 'interrupted; the next call starts over'
    exit 130
}
trap stop INT TERM HUP

step() { # step TITLE COMMAND...: output goes to the log, progress is shown
    local title=$1 started=$SECONDS shown=$SECONDS status=0
    shift
    say "$title"
    printf '\n==== %s\n' "$title" >>"$log"
    set -m # own process group, so that an interrupt ends the compilers too
    "$@" </dev/null >>"$log" 2>&1 &
    child=$!
    set +m
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.5
        if ((SECONDS - shown >= 20)); then
            shown=$SECONDS
            say "  $(clock $((SECONDS - started))): $(tail -n 1 "$log" | cut -c1-70)"
        fi
    done
    wait "$child" || status=$?
    child=
    if ((status != 0)); then
        tail -n 25 "$log" | sed 's/^/    /' >&2
        say "error: '$title' failed (exit $status); the whole log: $log"
        return "$status"
    fi
    ((SECONDS - started < 5)) || say "  done in $(clock $((SECONDS - started)))"
}

pip() { "$env/bin/python" -m pip --disable-pip-version-check "$@"; }
install() { pip install --progress-bar off -c "$requirements/constraints.txt" "$@"; }

find_wheel() { # prints the newest ready wheel of mmcv for this Python and torch
    local folder name wheel
    for folder in ${OPENVOCAB_WHEELS:+"$OPENVOCAB_WHEELS/$wheel_tag"} \
        ${OPENVOCAB_WHEELS:+"$OPENVOCAB_WHEELS"} "$cache/wheels/$wheel_tag"; do
        name=$(basename "$folder")
        # A folder that names another Python or torch holds wheels that would not load.
        [[ $name != py*-torch* || $name == "$wheel_tag" ]] || continue
        for wheel in "$folder"/onedl_mmcv-"$mmcv_version"-cp"$python_tag"-*_"$(uname -m)".whl; do
            [ ! -f "$wheel" ] || { echo "$wheel" && return; }
        done
    done
}

ops_load() { "$env/bin/python" -c 'import torch, mmcv.ops'; }

build_wheel() { # compiles mmcv; the wheel appears under its name only when it is whole
    local folder=$cache/wheels/$wheel_tag work
    rm -rf "$folder"/.build.*
    mkdir -p "$folder"
    work=$(mktemp -d "$folder/.build.XXXXXX")
    if [ -n "$flavour" ]; then
        export FORCE_CUDA=1
    else
        export CUDA_VISIBLE_DEVICES= FORCE_CUDA=0
    fi
    # -O1 without debug data halves the build and costs the operators nothing visible.
    export CFLAGS='-g0 -O1' MAX_JOBS=${MAX_JOBS:-$(nproc)} PATH="$env/bin:$PATH"
    pip wheel -v --no-cache-dir --no-build-isolation --no-deps --progress-bar off \
        -w "$work" "onedl-mmcv==$mmcv_version"
    mv "$work"/*.whl "$folder"/
    rm -rf "$work"
}

started=$SECONDS
say "building $env (Python $python_version, torch $torch_version); log: $log"
[ -z "${no_nvcc:-}" ] || say "note: $no_nvcc"
: >"$log"
[ ! -d "$env" ] || step 'removing an unfinished one' rm -rf "$env"
step 'creating the virtual environment' "$base" -m venv "$env"
step 'build tools' install pip setuptools wheel ninja psutil packaging
step "torch $torch_version (about 2 GB to fetch)" install torch torchvision
step 'libraries' install -r "$requirements/runtime.txt" -r "$requirements/tests.txt" \
    -r "$requirements/lint.txt" onedl-mmengine opencv-python
# opencv-python and -headless are both asked for and share one folder; the headless
# files come last because they need no display libraries.
step 'OpenCV without display' install --force-reinstall --no-deps opencv-python-headless
wheel=$(find_wheel)
if [ -n "$wheel" ]; then
    step "mmcv from $wheel" install "$wheel"
    step 'loading its operators' ops_load || {
        say 'that wheel does not work here; compiling one instead'
        wheel=
    }
fi
if [ -z "$wheel" ]; then
    step "mmcv $mmcv_version from source (15 to 30 minutes on two cores)" build_wheel
    wheel=$(OPENVOCAB_WHEELS= find_wheel)
    step "mmcv from $wheel" install --force-reinstall --no-deps "$wheel"
    step 'its other requirements' install onedl-mmcv
fi
step 'mmdet, mmseg, mmpretrain' install --no-build-isolation -r "$requirements/onedl.txt"
# Several checkouts share the environment, so none is installed into it; scripts run from
# the root of a checkout (python tools/train.py ...) find that one.
echo 'import os, sys; sys.path.append(os.getcwd())' >"$(
    "$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
)/openvocab-checkout.pth"
step 'checking the result' check "$env/bin/python" --imports --also tests.txt --also lint.txt
: >"$env/.complete"
say "built in $(clock $((SECONDS - started)))"
others=$(find "$cache/envs" -mindepth 1 -maxdepth 1 -type d ! -name "$key" | wc -l)
((others == 0)) || say "$others older environment(s) in $cache/envs can be deleted"
echo "$env/bin/python"
