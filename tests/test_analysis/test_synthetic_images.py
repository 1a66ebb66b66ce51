"""Random images are read by the ordinary data sets."""

import cv2
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner

from openvocab.analysis.synthetic_images import use_synthetic_images

LOAD = dict(type='mmcv.LoadImageFromFile')


def loader_config(dataset):
    return dict(
        batch_size=4,
        num_workers=0,
        drop_last=True,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(dataset, _scope_='mmengine'),
    )


def test_unlabelled_images_with_proposals(tmp_path):
    config = loader_config(
        dict(
            type='openvocab.UnlabeledImageDataset',
            data_root='absent',
            ann_file='absent.json',
            data_prefix=dict(img='absent'),
            proposals_file='absent.json',
            pipeline=[
                LOAD,
                dict(type='openvocab.ProposalRegions', max_regions=5),
                dict(type='openvocab.PackRegions'),
            ],
        )
    )
    use_synthetic_images(config, tmp_path, count=2)
    images = sorted((tmp_path / 'img').iterdir())
    assert [cv2.imread(str(path)).shape for path in images] == [(480, 640, 3)] * 2
    assert all(50_000 < path.stat().st_size < 250_000 for path in images)
    loader = Runner.build_dataloader(config)
    assert len(loader) > 1000  # repeated: the workers never start anew
    batch = next(iter(loader))
    assert [tuple(image.shape) for image in batch['inputs']] == [(3, 480, 640)] * 4
    for sample in batch['data_samples']:
        boxes = sample.regions.bboxes
        assert boxes.shape == (5, 4)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2] <= 640).all() and (boxes[:, 3] <= 480).all()


def test_panoptic_images(tmp_path):
    config = loader_config(
        dict(
            type='openvocab.PanopticRegionDataset',
            ann_file='absent.json',
            data_prefix=dict(img='absent', seg='absent'),
            vocabulary='ov_shapes',
            pipeline=[
                LOAD,
                dict(type='openvocab.LoadPanopticRegions'),
                dict(type='openvocab.PackRegions'),
            ],
        )
    )
    use_synthetic_images(config, tmp_path, count=2)
    config['collate_fn'] = pseudo_collate
    batch = next(iter(Runner.build_dataloader(config)))
    for sample in batch['data_samples']:
        assert len(sample.regions) == 12
        assert sample.regions.bboxes[5].tolist() == [160, 160, 320, 320]
        assert sample.segment_map.unique().tolist() == list(range(1, 13))


@pytest.mark.parametrize('splits', [None, ['novel']])
def test_detection_images(tmp_path, splits):
    config = loader_config(
        dict(
            type='openvocab.OVDetDataset',
            ann_file='absent.json',
            data_prefix=dict(img='absent'),
            vocabulary=dict(subset='ov_shapes', is_thing=True),
            splits=splits,
            pipeline=[
                LOAD,
                dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
                dict(type='mmdet.PackDetInputs'),
            ],
        )
    )
    use_synthetic_images(config, tmp_path, count=4)
    config['collate_fn'] = pseudo_collate
    loader = Runner.build_dataloader(config)
    classes = loader.dataset.metainfo['classes']
    wanted = set(loader.dataset.metainfo['novel_classes'] if splits else classes)
    found = set()
    for sample in next(iter(loader))['data_samples']:
        instances = sample.gt_instances
        boxes = instances.bboxes.tensor
        assert boxes.shape == (7, 4) and (boxes >= 0).all()
        assert (boxes[:, 2] <= 640).all() and (boxes[:, 3] <= 480).all()
        found |= {classes[label] for label in instances.labels.tolist()}
        area = instances.masks.masks.sum((1, 2))
        sides = boxes[:, 2:] - boxes[:, :2]
        # a polygon of 16 corners on an ellipse
        expected = (sides[:, 0] * sides[:, 1]).numpy() * 0.765
        assert area == pytest.approx(expected, rel=0.15)
    assert found <= wanted and len(found) > 3


def test_other_data_sets_are_refused(tmp_path):
    with pytest.raises(ValueError, match='not CocoDataset'):
        use_synthetic_images(dict(dataset=dict(type='mmdet.CocoDataset')), tmp_path)
