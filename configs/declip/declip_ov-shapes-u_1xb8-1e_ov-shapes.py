# DeCLIP on OV-Shapes; the same number of epochs as CLIPSelf and DenseVLM.
#   python tools/train.py configs/declip/declip_ov-shapes-u_1xb8-1e_ov-shapes.py
_base_ = [
    '../_base_/models/declip.py',
    '../_base_/models/ov_shapes_vfm.py',
    '../_base_/datasets/ov_shapes_grid_crops.py',
    '../_base_/schedules/align_ov_shapes.py',
    '../_base_/default_runtime_align.py',
]
model = dict(
    backbone=dict(
        arch='ov-shapes-u',
        checkpoint='openvocab://ov-shapes-u',
        # that of the preset, so that `type='openvocab.DeCLIP'` reads the result
        readout=dict(projections='qk', attn_scale=1.0)),
    # the prompt of all methods here
    text_bank=dict(vocabulary='ov_shapes', prompts='densevlm'),
    vfm={**_base_.vfm, '_delete_': True},
    # content as in the names of the released checkpoints; lambda, 0.05 there, is chosen for
    # this world on scenes of another seed
    loss=dict(loss_weight=2.0),
    context_loss=dict(loss_weight=0.01),
    with_crops=True)
