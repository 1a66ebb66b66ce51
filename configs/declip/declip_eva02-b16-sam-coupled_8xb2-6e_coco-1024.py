# Ablation: CLIPSelf whose dense map itself follows SAM's correlations.
# Published: things 65.6, stuff 41.3 (Table 1; its teacher is SAM ViT-B by the figures).
_base_ = './declip_eva02-b16-sam_8xb2-6e_coco-1024.py'
model = dict(
    backbone=dict(readout=dict(type='openvocab.ValueReadout', _delete_=True)),
    context=dict(type='openvocab.CoupledContext'))
