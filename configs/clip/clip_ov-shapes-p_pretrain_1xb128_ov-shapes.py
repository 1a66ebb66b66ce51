# Recipe of the tiny P-VLM, first part; the second is
# configs/clipself/clipself_ov-shapes-p_1xb32_ov-shapes.py.
_base_ = './clip_ov-shapes-u_pretrain_1xb128_ov-shapes.py'
model = dict(arch='ov-shapes-p')
