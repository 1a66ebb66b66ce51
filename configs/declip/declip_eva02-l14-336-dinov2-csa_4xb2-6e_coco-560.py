# As the released EVA-L csa_0.05_2.0 weights are named: Q and K, lambda 0.05, content 2.0.
_base_ = './declip_eva02-l14-336-dinov2_4xb2-6e_coco-560.py'
model = dict(
    backbone=dict(readout=dict(projections='qk')),
    loss=dict(loss_weight=2.0),
    context_loss=dict(loss_weight=0.05))
