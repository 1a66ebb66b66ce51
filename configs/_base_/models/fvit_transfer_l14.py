# Transfer of the OV-LVIS detector with a ViT-L/14: boxes only, nothing is novel.
_base_ = './fvit_mask_l14.py'

model = dict(
    text_bank=dict(vocabulary='coco_80'),
    roi_head=dict(
        bbox_head=dict(
            # not the temperature that was learned; one exponent for all classes
            cls_predictor_cfg=dict(temperature=50.0, learn_temperature=False),
            fusion=dict(alpha=0.2, beta=None, temperature=120.0)),
        mask_roi_extractor=None,
        mask_head=None))
# what the checkpoints of OV-LVIS hold besides
unused_weights = ['roi_head.mask_head.', 'roi_head.bbox_head.fc_cls.temperature']
