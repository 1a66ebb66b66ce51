# As the released csa_0.05_2.0 weights are named: Q and K, lambda 0.05, content 2.0.
# What the F-ViT and CAT-Seg configs with DeCLIP load.
_base_ = './declip_eva02-b16-dinov2_4xb4-6e_coco-560.py'
model = dict(
    backbone=dict(readout=dict(projections='qk')),
    loss=dict(loss_weight=2.0),
    context_loss=dict(loss_weight=0.05))
