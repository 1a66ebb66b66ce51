# Recipe of the tiny P-VLM, first part: a broader collection of pictures than the U-VLM's.
#   python tools/dataset_converters/ov_shapes.py --caption-views 40000 \
#       --thing-share 0.6 --stuff-share 0.25 --views-dir views_broad
#   python tools/train.py configs/clip/clip_ov-shapes-p_pretrain_1xb128_ov-shapes.py
# The second part is configs/clipself/clipself_ov-shapes-p_1xb16-5e_ov-shapes.py.
_base_ = './clip_ov-shapes-u_pretrain_1xb128_ov-shapes.py'
model = dict(arch='ov-shapes-p')
train_dataloader = dict(dataset=dict(data_root='data/ov_shapes/views_broad'))
