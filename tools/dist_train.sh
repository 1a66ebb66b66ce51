#!/usr/bin/env bash
# Training with several processes on one or more machines.
#   bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# Machines beyond the first: set NNODES, NODE_RANK, MASTER_ADDR and PORT. PYTHON names
# the interpreter (default: python). Without GPUs the processes talk over gloo.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$2" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$root/tools/train.py" "$1" --launcher pytorch "${@:3}"
