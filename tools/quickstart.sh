#!/usr/bin/env bash
# From a fresh machine to an unbiased region report, without any download but packages:
# environment, OV-Shapes, plain CLIP, CLIPSelf, DenseVLM, one table.
#   bash tools/quickstart.sh [WORK_DIR]          default work_dirs/quickstart
#   SEEDS="0 1 2" bash tools/quickstart.sh       mean and deviation over seeds
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=${1:-work_dirs/quickstart}
seeds=${SEEDS:-0}
began=$SECONDS

step() { printf '\n== %s  (%d min %02d s)\n' "$*" $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)); }

step 'environment'
python=$(bash tools/env.sh | tail -n 1)
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"

step 'OV-Shapes: draw the data set'
"$python" tools/dataset_converters/ov_shapes.py --out data/ov_shapes

clipself=configs/clipself/clipself_ov-shapes-u_1xb8-1e_ov-shapes.py
densevlm=configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py
reports=()
# evaluate NAME SEED [ENCODER]: region recognition of plain CLIP or of an encoder file
evaluate() {
    local folder="$work/$1-$2" options=()
    if [ $# -gt 2 ]; then
        options=(--cfg-options model.backbone.init_cfg.type=Pretrained
            "model.backbone.init_cfg.checkpoint=$3")
    fi
    "$python" tools/test.py configs/clip/clip_ov-shapes-u_ov-shapes.py \
        --work-dir "$folder" --method "$1" "${options[@]}"
    reports+=("$folder/report.json")
}

# align NAME SEED CONFIG: train, then evaluate the exported encoder
align() {
    "$python" tools/train.py "$3" --work-dir "$work/$1-$2" --no-validate \
        --cfg-options "randomness.seed=$2"
    evaluate "$1" "$2" "$work/$1-$2/encoder.safetensors"
}

step 'plain CLIP: report'
evaluate CLIP 0
for seed in $seeds; do
    step "CLIPSelf, seed $seed: align and report"
    align CLIPSelf "$seed" "$clipself"
    step "DenseVLM, seed $seed: align and report"
    align DenseVLM "$seed" "$densevlm"
done

step 'the table'
"$python" tools/analysis_tools/merge_reports.py "${reports[@]}" --out "$work"

step 'a picture: where each encoder sees three classes'
seed=${seeds%% *}
"$python" tools/analysis_tools/similarity_maps.py data/ov_shapes/val/000024.jpg --size 128 \
    --configs configs/clip/clip_ov-shapes-u_ov-shapes.py "$clipself" "$densevlm" \
    --checkpoints - "$(cat "$work/CLIPSelf-$seed/last_checkpoint")" \
    "$(cat "$work/DenseVLM-$seed/last_checkpoint")" \
    --titles CLIP CLIPSelf DenseVLM --classes sky grass 'red circle' \
    --out "$work/similarity.png"
step "done: $work/report.json, $work/report.md, $work/similarity.png"
