"""Random annotation and detections of any number of classes, for the metric's tests."""

import json

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from pycocotools import mask as mask_api

from openvocab.evaluation import OVDetMetric

HEIGHT, WIDTH = 131, 187  # room for objects of more than 96 x 96 pixels
CLASSES = ('cat', 'dog', 'kite', 'bus', 'cup')
META = dict(classes=CLASSES, splits=('base', 'novel', 'base', 'base', 'novel'))


def rectangle(box):
    """Mask of a box, (H, W) uint8."""
    left, top, right, bottom = np.round(box).astype(int)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def uncompressed(mask):
    """Run lengths as COCO writes crowds: column by column, zeros first."""
    changes = np.flatnonzero(np.diff(np.r_[0, mask.ravel(order='F')])) + 1
    runs = np.diff(np.r_[1, changes, mask.size + 1])
    return dict(size=[HEIGHT, WIDTH], counts=runs.tolist())


class World:
    """Random images.

    Attributes:
        content: COCO json; category ids are neither the labels nor in their order.
        found: Image id -> (boxes (N, 4), scores (N,), labels (N,)); masks are the
            rectangles. Scores repeat, some images have no object, some no detection.
    """

    def __init__(self, seed=0, images=14, classes=5, crowded=None):
        self.random = np.random.default_rng(seed)
        order = self.random.permutation(classes).tolist()
        self.category_ids = [10 + 3 * order[label] for label in range(classes)]
        names = [*CLASSES, *(f'class {i}' for i in range(len(CLASSES), classes))]
        self.meta = dict(META, classes=tuple(names[:classes]))
        if classes > len(CLASSES):
            self.meta['splits'] = tuple('rcf'[i % 3] for i in range(classes))
        categories = [
            dict(id=i, name=name)
            for name, i in zip(self.meta['classes'], self.category_ids, strict=True)
        ]
        self.content = dict(images=[], annotations=[], categories=categories)
        self.found = {}
        for number in range(images):
            # Ids do not ascend.
            self._add_image(1000 - 7 * number, number, classes)
        if crowded:
            image, label, count = crowded
            boxes, scores, labels = self._detections(count, classes, [])
            self.found[image] = boxes, scores, np.full_like(labels, label)

    def _add_image(self, image_id, number, classes):
        self.content['images'].append(dict(id=image_id, height=HEIGHT, width=WIDTH))
        objects = 0 if number % 5 == 3 else int(self.random.integers(1, 7))
        own = []
        for index in range(objects):
            box, label = self._box(), int(self.random.integers(classes))
            own.append((box, label))
            self._annotate(image_id, box, label, crowd=index % 4 == 3)
        count = 0 if number % 6 == 5 else 12
        self.found[image_id] = self._detections(count, classes, own)

    def _box(self):
        size = self.random.uniform(4, (0.9 * WIDTH, 0.9 * HEIGHT))
        size *= self.random.choice([0.2, 0.5, 1.0])
        low = self.random.uniform(0, (WIDTH, HEIGHT) - size)
        return np.r_[low, low + size].astype(np.float32)

    def _annotate(self, image_id, box, label, crowd):
        mask = rectangle(box)
        left, top, right, bottom = box.tolist()
        corners = [left, top, right, top, right, bottom, left, bottom]
        self.content['annotations'].append(
            dict(
                id=len(self.content['annotations']) + 1,
                image_id=image_id,
                category_id=self.category_ids[label],
                bbox=[left, top, right - left, bottom - top],
                area=float(mask.sum()),
                iscrowd=int(crowd),
                segmentation=uncompressed(mask) if crowd else [corners],
                ignore=1,  # which COCO does not look at
            )
        )

    def _detections(self, count, classes, objects):
        boxes, labels = [], []
        for _ in range(count):
            box, label = self._box(), int(self.random.integers(classes))
            if objects and self.random.random() < 0.7:
                near, label = objects[self.random.integers(len(objects))]
                size = np.tile(near[2:] - near[:2], 2)
                box = near + self.random.normal(0, 0.06, 4) * size
                box = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
                box = box.astype(np.float32)
            boxes.append(box)
            labels.append(label)
        scores = self.random.uniform(0, 1, count).round(1).astype(np.float32)
        boxes = np.stack(boxes) if boxes else np.zeros((0, 4), np.float32)
        return boxes, scores, np.array(labels, np.int64)

    def write(self, folder):
        """Writes the annotation; returns its path."""
        path = folder / 'annotation.json'
        path.write_text(json.dumps(self.content))
        return str(path)

    def results(self, iou_type):
        """Detections in COCO's result format."""
        return [
            self._result(image_id, *row, iou_type)
            for image_id, columns in self.found.items()
            for row in zip(*columns, strict=True)
        ]

    def _result(self, image_id, box, score, label, iou_type):
        result = dict(
            image_id=image_id, category_id=self.category_ids[label], score=float(score)
        )
        left, top, right, bottom = box.tolist()
        if iou_type == 'bbox':
            return dict(result, bbox=[left, top, right - left, bottom - top])
        mask = np.asfortranarray(rectangle(box))
        return dict(result, segmentation=mask_api.encode(mask))

    def samples(self, masks=True):
        """Data samples as a detector returns them."""
        return [data_sample(i, *self.found[i], masks=masks) for i in self.found]


def data_sample(image_id, boxes, scores, labels, masks=True, **metainfo):
    sample = DetDataSample(
        metainfo=dict(img_id=image_id, ori_shape=(HEIGHT, WIDTH), **metainfo)
    )
    sample.pred_instances = InstanceData(
        bboxes=torch.as_tensor(boxes).reshape(-1, 4),
        scores=torch.as_tensor(scores),
        labels=torch.as_tensor(labels, dtype=torch.int64),
    )
    if masks:
        shapes = [rectangle(box) for box in np.asarray(boxes).reshape(-1, 4)]
        shapes = np.stack(shapes) if shapes else np.zeros((0, HEIGHT, WIDTH), np.uint8)
        sample.pred_instances.masks = torch.from_numpy(shapes).bool()
    return sample


def evaluate(samples, meta=META, size=None, **kwargs):
    """Runs the metric over single-image batches, as a test loop does."""
    metric = OVDetMetric(**kwargs)
    metric.dataset_meta = meta
    for sample in samples:
        metric.process(None, [sample.to_dict()])
    return metric.evaluate(len(samples) if size is None else size)
