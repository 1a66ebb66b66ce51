# Context from Q and K. Published: things 77.3, stuff 53.8 (Table 7).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(backbone=dict(readout=dict(projections='qk')))
