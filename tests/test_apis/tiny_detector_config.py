"""A config of a detector on a tiny encoder, with random images, as a file."""

from pathlib import Path

_CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
_TEXT = """
_base_ = '{configs}/_base_/models/fvit_ov_shapes.py'
default_scope = 'mmdet'
model = dict(
    data_preprocessor=dict(pad_size_divisor=64),
    text_bank=dict(
        vocabulary=dict(
            subset='ov_shapes', names=['red circle', 'blue star', 'green square']),
        prompts='single'),
    test_cfg=dict(
        rpn=dict(max_per_img=20), rcnn=dict(score_thr=0.0, max_per_img=7)))
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(64, 64), keep_ratio=True),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                type='PackDetInputs',
                meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
                           'scale_factor'))]))
"""


def write_config(path: Path) -> str:
    """Writes the config; three classes, seven detections per image at most."""
    path.write_text(_TEXT.format(configs=_CONFIGS))
    return str(path)
