"""Writes OV-Shapes to disk as COCO json, panoptic png and semantic png.

Layout under the root::

    train/000000.jpg ...                       images
    annotations/instances_train.json           COCO boxes and RLE masks of the things
    annotations/panoptic_train.json            COCO panoptic
    annotations/panoptic_train/000000.png      id = R + 256 G + 256^2 B
    annotations/semantic_train/000000.png      class index of the vocabulary, 255 = none
    annotations/captions_train.json            COCO captions
    world.json                                 what was drawn, written last
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from faster_coco_eval.core import mask as rle

from ...fileio import write_atomically
from .captions import caption_phrase, fill_template
from .scene import Scene, Segment, draw_scene
from .world import World, class_names, thing_names

SPLITS: tuple[str, ...] = ('train', 'val')
_IGNORED = 255


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The generator that image ``index`` of a split is drawn from."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


class SplitWriter:
    """Collects the annotation of one split and writes its files.

    Args:
        root: Folder of the data set.
        split: ``'train'`` or ``'val'``.
    """

    def __init__(self, root: Path, split: str) -> None:
        self.images_dir = root / split
        self.annotations_dir = root / 'annotations'
        self.split = split
        self.names = class_names()
        self._images: list[dict[str, Any]] = []
        self._instances: list[dict[str, Any]] = []
        self._panoptic: list[dict[str, Any]] = []
        self._captions: list[dict[str, Any]] = []
        for folder in (self.images_dir, self._png_dir('panoptic'),
                       self._png_dir('semantic')):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)

    def _png_dir(self, kind: str) -> Path:
        return self.annotations_dir / f'{kind}_{self.split}'

    def add(self, scene: Scene, caption: str) -> None:
        """Writes the image and label maps of a scene and keeps its annotation."""
        index = len(self._images)
        stem = f'{index:06d}'
        height, width = scene.image.shape[:2]
        image_file = self.images_dir / f'{stem}.jpg'
        cv2.imwrite(str(image_file), scene.image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        ids = np.zeros((height, width), np.int32)
        semantic = np.full((height, width), _IGNORED, np.uint8)
        infos = []
        for number, segment in enumerate(scene.segments, start=1):
            ids[segment.mask] = number
            semantic[segment.mask] = self.names.index(segment.name)
            record = self._record(segment)
            infos.append({'id': number, **record})
            if segment.is_thing:
                self._instances.append(self._instance(index, segment, record))
        planes = np.stack([ids >> 16, ids >> 8, ids], axis=-1) & 255
        cv2.imwrite(
            str(self._png_dir('panoptic') / f'{stem}.png'), planes.astype(np.uint8)
        )
        cv2.imwrite(str(self._png_dir('semantic') / f'{stem}.png'), semantic)
        self._images.append(
            {
                'id': index,
                'file_name': image_file.name,
                'height': height,
                'width': width,
            }
        )
        self._panoptic.append(
            {'image_id': index, 'file_name': f'{stem}.png', 'segments_info': infos}
        )
        self._captions.append({'id': index, 'image_id': index, 'caption': caption})

    def _record(self, segment: Segment) -> dict[str, Any]:
        rows, columns = np.nonzero(segment.mask)
        left, top = int(columns.min()), int(rows.min())
        width = int(columns.max()) + 1 - left
        height = int(rows.max()) + 1 - top
        return {
            'category_id': self.names.index(segment.name) + 1,
            'bbox': [left, top, width, height],
            'area': len(rows),
            'iscrowd': 0,
        }

    def _instance(
        self, index: int, segment: Segment, record: dict[str, Any]
    ) -> dict[str, Any]:
        encoded = rle.encode(np.asfortranarray(segment.mask.astype(np.uint8)))
        counts = encoded['counts']
        if isinstance(counts, bytes):
            counts = counts.decode()
        return {
            'id': len(self._instances) + 1,
            'image_id': index,
            **record,
            'segmentation': {'size': list(segment.mask.shape), 'counts': counts},
        }

    def close(self) -> dict[str, int]:
        """Writes the json files; returns the counts."""
        things = len(thing_names())
        categories = [
            {'id': i + 1, 'name': name, 'isthing': int(i < things)}
            for i, name in enumerate(self.names)
        ]
        files = {
            'instances': dict(
                annotations=self._instances, categories=categories[:things]
            ),
            'panoptic': dict(annotations=self._panoptic, categories=categories),
            'captions': dict(annotations=self._captions),
        }
        for kind, content in files.items():
            path = self.annotations_dir / f'{kind}_{self.split}.json'
            payload = json.dumps({'images': self._images, **content})
            write_atomically(path, payload.encode())
        segments = sum(len(entry['segments_info']) for entry in self._panoptic)
        return {
            'images': len(self._images),
            'things': len(self._instances),
            'stuff': segments - len(self._instances),
        }


def write_ov_shapes(
    root: Path,
    counts: dict[str, int],
    world: World | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Draws the data set, or returns the record of an identical one already there.

    Args:
        root: Folder of the data set.
        counts: Images per split, e.g. ``{'train': 3000, 'val': 500}``.
        world: Statistics of the scenes.
        seed: Seed of everything that is drawn.
        progress: Called with (split, images done, images in all).

    Returns:
        The content of ``world.json``: settings and counts per split.

    Raises:
        ValueError: If a split is unknown or ``root`` holds another world.
    """
    world = world or World()
    unknown = sorted(set(counts) - set(SPLITS))
    if unknown:
        raise ValueError(f'unknown split {unknown[0]!r}; choose from {SPLITS}')
    settings = {
        'seed': seed,
        'counts': dict(counts),
        'world': json.loads(json.dumps(dataclasses.asdict(world))),
    }
    record_file = root / 'world.json'
    if record_file.exists():
        record = json.loads(record_file.read_text())
        if record.get('settings') != settings:
            raise ValueError(
                f'{record_file} describes another world; remove {root} or choose '
                f'another folder'
            )
        return record
    written = {}
    for split, count in counts.items():
        writer = SplitWriter(root, split)
        for index in range(count):
            rng = scene_rng(seed, split, index)
            scene = draw_scene(rng, world)
            writer.add(scene, fill_template(rng, caption_phrase(rng, scene)))
            if progress is not None:
                progress(split, index + 1, count)
        written[split] = writer.close()
    record = {'settings': settings, 'written': written}
    write_atomically(record_file, json.dumps(record, indent=2).encode())
    return record
