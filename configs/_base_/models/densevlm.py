# DenseVLM: the student's regions are aligned with text by a frozen, region-aware CLIP.
alignment_text = dict(
    type='openvocab.TextBank',
    # the paper's default set: COCO-Stuff and ADE20K merged by name
    vocabulary=dict(merge=['coco_stuff_171', 'ade20k_150']),
    prompts='densevlm')
model = dict(
    type='openvocab.DenseVLMAligner',
    backbone=dict(
        type='openvocab.DenseVLM',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        trainable_blocks=-1),
    teacher=dict(
        type='openvocab.CLIPSelf',
        arch='EVA02-L-14-336',
        checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/clipself_coco_6_save6_512_eva_vitl14_24layers.pt')),
    student_text=alignment_text,
    teacher_text=alignment_text,
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='coco_panoptic_133',
        prompts='densevlm'),
    loss=dict(type='openvocab.DecoupledAlignLoss', theta=0.3, tau=0.01),
    _scope_='mmengine')
