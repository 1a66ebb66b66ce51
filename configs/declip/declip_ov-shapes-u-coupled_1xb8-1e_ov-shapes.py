# Ablation on OV-Shapes: CLIPSelf whose dense map itself follows the VFM.
#   python tools/train.py configs/declip/declip_ov-shapes-u-coupled_1xb8-1e_ov-shapes.py
_base_ = './declip_ov-shapes-u_1xb8-1e_ov-shapes.py'
model = dict(
    backbone=dict(
        readout=dict(type='openvocab.ValueReadout', _delete_=True)),
    context=dict(type='openvocab.CoupledContext', _delete_=True))
