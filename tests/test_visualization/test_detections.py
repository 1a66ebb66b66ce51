import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from openvocab.registry import VISUALIZERS
from openvocab.visualization import draw_detections
from openvocab.vocab import Vocabulary

META = dict(palette=[(250, 0, 0), (0, 0, 250)])


def make_sample(count=2, masks=False):
    boxes = torch.tensor([[10.0, 20, 50, 65], [20, 30, 60, 70]])[:count]
    found = InstanceData(
        bboxes=boxes,
        scores=torch.tensor([0.9, 0.5])[:count],
        labels=torch.tensor([0, 1])[:count],
        label_names=['tree', 'dog'][:count],
    )
    if masks:
        found.masks = torch.zeros(count, 80, 100, dtype=torch.bool)
        for mask, box in zip(found.masks, boxes.long(), strict=True):
            mask[box[1] : box[3], box[0] : box[2]] = True
    return DetDataSample(pred_instances=found)


def test_boxes_in_their_palette_and_below_the_threshold_nothing():
    image = np.full((80, 100, 3), 128, np.uint8)
    picture = draw_detections(image, make_sample(), META, 0.3, min_width=100)
    assert picture.shape == image.shape and (image == 128).all()
    assert picture[40, 10].tolist() == [0, 0, 250]  # red in BGR, left edge
    assert picture[69, 50].tolist() == [250, 0, 0]  # blue, lower edge
    picture = draw_detections(image, make_sample(), META, 0.6, min_width=100)
    assert picture[40, 10].tolist() == [0, 0, 250]
    assert picture[69, 50].tolist() == [128, 128, 128]


def test_small_images_are_enlarged_with_their_boxes():
    image = np.full((80, 100, 3), 128, np.uint8)
    picture = draw_detections(image, make_sample(1), META)
    assert picture.shape == (512, 640, 3)
    assert picture[int(40 * 6.4), 64].tolist() == [0, 0, 250]


def test_masks_tint_and_the_better_one_is_on_top():
    image = np.full((80, 100, 3), 128, np.uint8)
    picture = draw_detections(image, make_sample(masks=True), META, 0.3, 100)
    blue, _, red = picture[57, 35]  # both masks
    assert red > blue
    blue, _, red = picture[60, 55]  # the second alone
    assert blue > red
    assert picture[75, 90].tolist() == [128, 128, 128]


def test_nothing_found():
    image = np.full((80, 100, 3), 128, np.uint8)
    for masks in (False, True):
        picture = draw_detections(image, make_sample(0, masks), META, 0.3, 100)
        assert (picture == image).all()


OWN = [dict(name='abcdefgh'[i], color=(i, 10 * i, 200 - i)) for i in range(8)]


def searched_for(classes):
    """A sample whose two detections are the last ones of its own classes."""
    sample = make_sample()
    sample.set_metainfo(dict(vocabulary=classes))
    sample.pred_instances.labels = torch.tensor([len(classes) - 2, len(classes) - 1])
    sample.pred_instances.label_names = [each['name'] for each in classes[-2:]]
    return sample


def test_a_sample_with_its_own_classes_has_their_colours():
    image = np.full((80, 100, 3), 128, np.uint8)
    for classes in (OWN, OWN[:2]):
        palette = Vocabulary.load(classes).metainfo()['palette']
        picture = draw_detections(image, searched_for(classes), META, 0.3, 100)
        assert picture[40, 10].tolist() == list(palette[-2][::-1])
        assert picture[69, 50].tolist() == list(palette[-1][::-1])


def test_the_visualizer_takes_the_colours_of_the_samples_own_classes(monkeypatch):
    drawer = VISUALIZERS.build(dict(type='openvocab.DetVisualizer', name='test'))
    drawer.dataset_meta = dict(META, classes=('tree', 'dog'))
    drawn = []
    monkeypatch.setattr(
        drawer, 'draw_bboxes', lambda boxes, **style: drawn.append(style['edge_colors'])
    )
    sample = searched_for(OWN)
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[1.0, 2, 30, 40]]), labels=torch.tensor([1])
    )
    image = np.zeros((80, 100, 3), np.uint8)
    drawer.add_datasample('own', image, sample)
    drawer.add_datasample('the data set', image, make_sample(), draw_gt=False)
    truth, own, usual = drawn
    assert truth == [META['palette'][1]]  # what is annotated indexes the data set
    assert own == Vocabulary.load(OWN).metainfo()['palette'][-2:]
    assert usual == META['palette']
