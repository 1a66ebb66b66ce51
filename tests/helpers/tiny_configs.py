"""Configs of a detector and of a segmentor on a tiny encoder, as files."""

from pathlib import Path

from .configs import CONFIGS

_DETECTOR = """
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
visualizer = dict(type='DetLocalVisualizer', name='visualizer')
"""
_SEGMENTOR = """
_base_ = [
    '{configs}/_base_/models/cat_seg_ov_shapes.py',
    '{configs}/_base_/datasets/ov_shapes_segmentation.py']
default_scope = 'mmseg'
model = dict(
    text_bank=dict(
        vocabulary=dict(
            _delete_=True, subset='ov_shapes', names=['sky', 'grass', 'red circle']),
        prompts='single'))
visualizer = dict(type='SegLocalVisualizer', name='visualizer')
"""


def write_detector(path: Path) -> str:
    """Writes the config; three classes, seven detections per image at most."""
    path.write_text(_DETECTOR.format(configs=CONFIGS))
    return str(path)


def write_segmentor(path: Path) -> str:
    """Writes the config; three classes."""
    path.write_text(_SEGMENTOR.format(configs=CONFIGS))
    return str(path)
