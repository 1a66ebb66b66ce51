# DeCLIP: as align_6e.py, with AdamW's own betas and eps, 16 images per step. The public
# code never averages gradients over GPUs: what it calls 16 is 4 (2 in the paper).
_base_ = './align_6e.py'

optim_wrapper = dict(optimizer=dict(betas=(0.9, 0.999), eps=1e-8))
auto_scale_lr = dict(enable=False, base_batch_size=16)
