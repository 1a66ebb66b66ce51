#!/usr/bin/env bash
# Evaluation with several processes on one or more machines.
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
#   bash tools/dist_test.sh CONFIG - GPUS           the model as its config builds it
# Machines beyond the first: set NNODES, NODE_RANK, MASTER_ADDR and PORT. PYTHON names
# the interpreter (default: python). Without GPUs the processes talk over gloo.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$3" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$root/tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
