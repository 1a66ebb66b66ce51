# The tiny P-VLM, after pre-training and CLIPSelf: the retriever of DenseVLM.
_base_ = './clip_ov-shapes-u_ov-shapes.py'
model = dict(backbone=dict(arch='ov-shapes-p', checkpoint='openvocab://ov-shapes-p'))
