import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import MODELS, init_default_scope

from openvocab.datasets import PackRegions


def packed(height=20, width=33, **extra):
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    results = dict(img=image, img_id='a', ori_shape=(height, width), **extra)
    return image, PackRegions().transform(results)


def test_image_keeps_channel_order():
    image, item = packed()
    assert torch.equal(item['inputs'], torch.from_numpy(image).permute(2, 0, 1))
    assert item['inputs'].is_contiguous()
    assert item['data_samples'].img_id == 'a'


def test_image_without_regions_has_an_empty_set():
    _, item = packed()
    assert item['data_samples'].regions.bboxes.shape == (0, 4)
    assert 'segment_map' not in item['data_samples']


def test_batch_passes_mmengines_preprocessor():
    init_default_scope('mmengine')
    preprocessor = MODELS.build(
        dict(type='ImgDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True)
    )
    batch = pseudo_collate([packed()[1], packed()[1]])
    batch = preprocessor(batch, False)
    assert batch['inputs'].shape == (2, 3, 20, 33)
    assert batch['inputs'].max() <= 1
    assert len(batch['data_samples']) == 2


def test_mmcv_transforms_resolve_from_the_mmengine_scope(tmp_path):
    import cv2

    init_default_scope('mmengine')
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((30, 50, 3), 7, np.uint8))
    pipeline = Compose(
        [
            dict(type='mmcv.LoadImageFromFile'),
            dict(
                type='mmcv.Resize',
                scale=(64, 64),
                keep_ratio=True,
                backend='pillow',
                interpolation='bicubic',
            ),
            dict(type='openvocab.BoundedGridRegions'),
            dict(type='mmcv.Pad', size=(64, 64)),
            dict(type='openvocab.PackRegions'),
        ]
    )
    item = pipeline(dict(img_path=str(tmp_path / 'a.png'), img_id=0))
    assert item['inputs'].shape == (3, 64, 64)
    assert (item['inputs'][:, :38] == 7).all()
    assert not item['inputs'][:, 38:].any()
    assert item['data_samples'].img_shape == (38, 64)
    assert item['data_samples'].regions.bboxes[:, 3].max() == 38
