#!/usr/bin/env bash
# From a fresh machine to open-vocabulary results, without any download but packages:
# environment, OV-Shapes, alignment (CLIPSelf, DenseVLM, DeCLIP), region report, a detector
# and segmentors on the plain and on an aligned encoder, the tables and pictures.
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

clip=configs/clip/clip_ov-shapes-u_ov-shapes.py
clipself=configs/clipself/clipself_ov-shapes-u_1xb8-1e_ov-shapes.py
densevlm=configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py
declip=configs/declip/declip_ov-shapes-u_1xb8-1e_ov-shapes.py
fvit=configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py
cat_seg=configs/cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes.py
logoseg=configs/logoseg/logoseg_ov-shapes-u_1xb4-240i_ov-shapes.py
free=configs/training_free/training_free_ov-shapes-u_ov-shapes.py
proxyclip=configs/training_free/training_free_ov-shapes-u-proxyclip_ov-shapes.py
reports=()
running=()
cores=$(getconf _NPROCESSORS_ONLN)
threads=$((cores > 1 ? cores / 2 : 1))

# encoder_options FILE: what puts an encoder file into any config; nothing for plain CLIP
encoder_options() {
    [ -z "$1" ] || echo "model.backbone.init_cfg.type=Pretrained" \
        "model.backbone.init_cfg.checkpoint=$1"
}

# evaluate NAME SEED CONFIG ENCODER [CHECKPOINT]: a row of the tables
evaluate() {
    # shellcheck disable=SC2046  (several options, none with blanks)
    "$python" tools/test.py "$3" ${5:+"$5"} --work-dir "$work/$1-$2" --method "$1" \
        --cfg-options "randomness.seed=$2" $(encoder_options "$4")
}

# train NAME SEED CONFIG ENCODER
train() {
    # shellcheck disable=SC2046
    "$python" tools/train.py "$3" --work-dir "$work/$1-$2" --no-validate \
        --cfg-options "randomness.seed=$2" $(encoder_options "$4")
}

# align NAME SEED CONFIG REPORT_CONFIG: an encoder file, and its region report
align() {
    train "$1" "$2" "$3" ''
    evaluate "$1" "$2" "$4" "$work/$1-$2/encoder.safetensors"
}

# use NAME SEED CONFIG ENCODER: a detector or segmentor on an encoder, and its report
use() {
    train "$@"
    evaluate "$@" "$(cat "$work/$1-$2/last_checkpoint")"
}

# read_out NAME SEED ENCODER OPTION ...: segmentation by a readout alone
read_out() {
    # shellcheck disable=SC2046
    "$python" tools/test.py "$free" --work-dir "$work/$1-$2" --method "$1" \
        --cfg-options "randomness.seed=$2" $(encoder_options "$3") "${@:4}"
}

# beside FUNCTION NAME SEED ...: a row; its lines are marked. One core trains these small
# models about as fast as two do, so that two rows at a time take half as long.
beside() {
    [ ${#running[@]} -lt 2 ] || together
    reports+=("$work/$2-$3/report.json")
    OMP_NUM_THREADS=$threads "$@" > >(sed -u "s/^/[$2 $3] /") 2>&1 &
    running+=($!)
}

# together: waits for the rows that began; ends the script if one failed
together() {
    local process
    for process in "${running[@]}"; do wait "$process"; done
    running=()
}

step 'plain CLIP: regions, and segmentation by readouts alone'
beside evaluate CLIP 0 "$clip" ''
readout=model.backbone.readout
for name in Vanilla Value SCLIP ClearCLIP NACLIP; do
    beside read_out "CLIP+$name" 0 '' "$readout.type=openvocab.${name}Readout"
done
beside read_out CLIP+CSA 0 '' "$readout.type=openvocab.SelfSelfReadout" "$readout.attn_scale=1"
beside read_out CLIP+GEM 0 '' model.backbone.type=openvocab.GEM "$readout=None" \
    model.backbone.blocks=2
beside evaluate CLIP+ProxyCLIP 0 "$proxyclip" ''
together

for seed in $seeds; do
    step "seed $seed: align by CLIPSelf, DenseVLM and DeCLIP, and report"
    beside align DenseVLM "$seed" "$densevlm" "$clip"
    beside align DeCLIP "$seed" "$declip" "$declip"
    beside align CLIPSelf "$seed" "$clipself" "$clip"
    encoder="$work/DenseVLM-$seed/encoder.safetensors"
    step "seed $seed: train and report F-ViT, CAT-Seg and LoGoSeg on CLIP and on DenseVLM"
    for model in "F-ViT $fvit" "CAT-Seg $cat_seg" "LoGoSeg $logoseg"; do
        read -r name config <<<"$model"
        beside use "$name+CLIP" "$seed" "$config" ''
        beside use "$name+DenseVLM" "$seed" "$config" "$encoder"
    done
    beside read_out CLIPSelf+Value "$seed" "$work/CLIPSelf-$seed/encoder.safetensors" \
        "$readout.type=openvocab.ValueReadout"
    beside read_out DeCLIP+CSA "$seed" "$work/DeCLIP-$seed/encoder.safetensors" \
        model.backbone.type=openvocab.DeCLIP "$readout=None"
    together
done

step 'the tables'
"$python" tools/analysis_tools/merge_reports.py "${reports[@]}" --out "$work"

step 'pictures: where each encoder sees three classes, what detector and segmentor find'
seed=${seeds%% *}
"$python" tools/analysis_tools/similarity_maps.py data/ov_shapes/val/000024.jpg --size 128 \
    --configs "$clip" "$clipself" "$densevlm" \
    --checkpoints - "$(cat "$work/CLIPSelf-$seed/last_checkpoint")" \
    "$(cat "$work/DenseVLM-$seed/last_checkpoint")" \
    --titles CLIP CLIPSelf DenseVLM --classes sky grass 'red circle' \
    --out "$work/similarity.png"
for model in "F-ViT+DenseVLM-$seed" "CAT-Seg+DenseVLM-$seed"; do
    "$python" tools/demo/image_demo.py data/ov_shapes/val/000024.jpg \
        "$work/$model"/*.py "$(cat "$work/$model/last_checkpoint")" --out "$work/pictures/$model"
done
step "done: $work/report.json, comparison.html, similarity.png and pictures/"
