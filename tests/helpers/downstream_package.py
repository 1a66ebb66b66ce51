"""A package of another team, written to a folder by a test.

It inherits from our configs, changes encoder and vocabulary, and mixes bases of mmdet
and mmseg with ours.
"""

import textwrap
from pathlib import Path

FILES = {
    'pyproject.toml': """
        [build-system]
        requires = ['setuptools>=64']
        build-backend = 'setuptools.build_meta'

        [project]
        name = 'shapes-shop'
        version = '0.1'

        [tool.setuptools]
        packages = ['shapes_shop']
        package-data = { shapes_shop = ['*.json', 'configs/*.py'] }
    """,
    'shapes_shop/__init__.py': """
        # configs of openvocab can be inherited from here on
        import openvocab  # noqa: F401
    """,
    'shapes_shop/encoder.py': """
        from mmengine.registry import MODELS
        from openvocab.models.backbones import CLIPBackbone


        @MODELS.register_module()
        class ShopCLIP(CLIPBackbone):
            'An encoder of ours: half of the dense map is its mirror image.'

            def forward(self, images):
                *taps, dense = super().forward(images)
                *_, mirrored = super().forward(images.flip(-1))
                return (*taps, (dense + mirrored.flip(-1)) / 2)
    """,
    'shapes_shop/shop.json': """
        {"name": "shop", "classes": [
            {"name": "red circle", "split": "base"},
            {"name": "blue star", "split": "novel"},
            {"name": "green square", "synonyms": ["square of green"], "split": "base"}]}
    """,
    # our detector, on their encoder and their classes
    'shapes_shop/configs/detector.py': """
        _base_ = 'openvocab::fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py'
        custom_imports = dict(imports=['shapes_shop.encoder'])
        classes = dict(vocabulary='{{ fileDirname }}/../shop.json')
        model = dict(
            backbone=dict(
                type='ShopCLIP',
                arch='ov-shapes-p',
                checkpoint='openvocab://ov-shapes-p'),
            text_bank=classes)
        # pictures of our world show other things too
        shown = dict(**classes, drop_unknown='ov_shapes')
        train_dataloader = dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(**shown, filter_cfg=dict(filter_empty_gt=False)))
        val_dataloader = dict(
            num_workers=0, persistent_workers=False, dataset=shown)
        test_dataloader = val_dataloader
    """,
    # their baseline: a detector of mmdet on our data
    'shapes_shop/configs/mmdet_baseline.py': """
        _base_ = [
            'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
            'openvocab::_base_/datasets/ov_shapes_detection.py',
            'openvocab::_base_/schedules/fvit_ov_shapes.py',
            'openvocab::_base_/default_runtime_det.py',
        ]
        model = dict(
            backbone=dict(depth=18, init_cfg=None),
            neck=dict(in_channels=[64, 128, 256, 512]),
            roi_head=dict(bbox_head=dict(num_classes=36)))
    """,
    # and one of mmseg
    'shapes_shop/configs/mmseg_baseline.py': """
        _base_ = [
            'mmseg::_base_/models/fcn_unet_s5-d16.py',
            'openvocab::_base_/datasets/ov_shapes_segmentation.py',
            'openvocab::_base_/default_runtime_seg.py',
        ]
        model = dict(
            decode_head=dict(num_classes=46),
            auxiliary_head=dict(num_classes=46))
    """,
}


def write_package(folder: Path) -> Path:
    """Writes the package.

    Returns:
        The folder of its configs.
    """
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    return folder / 'shapes_shop/configs'
