# EVA02-CLIP-L/14-336 aligned by DenseVLM. None was released: the checkpoint is what a
# training with this student exports (encoder.safetensors, see configs/densevlm).
_base_ = './eva02-l14-336.py'

encoder = dict(
    type='openvocab.DenseVLM',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/densevlm_eva02-l14-336.safetensors'))
