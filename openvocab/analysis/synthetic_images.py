"""Random images in the layout that a dataset reads, to time it without its data."""

import json
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from openvocab.vocab import Vocabulary

# The size of most COCO images; the noise gives jpgs of COCO's usual 100 to 200 kB.
WIDTH, HEIGHT = 640, 480
_LENGTH = 100_000
_SEGMENTS = (4, 3)  # columns, rows
_PROPOSALS = 100
_BOXES = 7  # per image, as in COCO
_CORNERS = 16  # of a mask's polygon


def use_synthetic_images(
    dataloader: MutableMapping[str, Any], folder: Path, count: int = 32
) -> None:
    """Writes random images and points a data loader config to them.

    The few images are repeated, so that the loader never ends and its workers run on.

    Args:
        dataloader: Config of a data loader, changed in place.
        folder: Empty or missing folder for the images.
        count: How many images are written.

    Raises:
        ValueError: If the type of the dataset is not one whose layout is known.
    """
    dataset = dataloader['dataset']
    leaf = innermost(dataset)
    kind = str(leaf.get('type')).split('.')[-1]
    if kind not in _WRITERS:
        raise ValueError(
            f'--synthetic-images knows the datasets {", ".join(_WRITERS)}, not {kind}'
        )
    rng = np.random.default_rng(0)
    (folder / 'img').mkdir(parents=True, exist_ok=True)
    names = [f'{index:04d}.jpg' for index in range(count)]
    for name in names:
        _write_image(folder / 'img' / name, rng)
    _WRITERS[kind](leaf, folder, names, rng)
    dataloader['dataset'] = dict(
        type='RepeatDataset',
        times=-(-_LENGTH // count),
        dataset=dataset,
        _scope_='mmengine',
    )


def innermost(dataset: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The config of the data set within wrappers such as ``RepeatDataset``."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def _write_image(path: Path, rng: np.random.Generator) -> None:
    coarse = rng.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-18, 19, image.shape, dtype=np.int16)
    image = np.clip(image + noise, 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 90])


def _unlabelled(
    dataset: MutableMapping[str, Any],
    folder: Path,
    names: list[str],
    rng: np.random.Generator,
) -> None:
    dataset.update(data_root=str(folder), ann_file='', data_prefix=dict(img='img'))
    if dataset.get('proposals_file'):
        boxes = {name: _random_boxes(rng) for name in names}
        (folder / 'proposals.json').write_text(json.dumps(boxes))
        dataset['proposals_file'] = 'proposals.json'


def _random_boxes(
    rng: np.random.Generator, count: int = _PROPOSALS
) -> list[list[float]]:
    corners = rng.random((count, 2, 2)) * 0.75
    corners[:, 1] = corners[:, 0] + 0.05 + corners[:, 1] * 0.25
    corners *= (WIDTH, HEIGHT)
    return corners.reshape(-1, 4).round(1).tolist()


def _panoptic(
    dataset: MutableMapping[str, Any],
    folder: Path,
    names: list[str],
    rng: np.random.Generator,
) -> None:
    classes = Vocabulary.load(dataset['vocabulary']).names
    (folder / 'seg').mkdir(exist_ok=True)
    columns, rows = _SEGMENTS
    grid = np.arange(1, columns * rows + 1).reshape(rows, columns)
    ids = np.kron(grid, np.ones((HEIGHT // rows, WIDTH // columns))).astype(np.uint8)
    png = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    png[..., 2] = ids  # BGR; the id is R + 256 G + 256^2 B
    annotations = []
    for index, name in enumerate(names):
        file_name = name.replace('.jpg', '.png')
        cv2.imwrite(str(folder / 'seg' / file_name), png)
        segments = [
            dict(id=int(i), category_id=int(rng.integers(len(classes))), iscrowd=0)
            for i in grid.flat
        ]
        annotations.append(
            dict(image_id=index, file_name=file_name, segments_info=segments)
        )
    _write_json(folder / 'panoptic.json', names, annotations, classes)
    dataset.update(
        data_root=str(folder),
        ann_file='panoptic.json',
        data_prefix=dict(img='img', seg='seg'),
    )


def _detection(
    dataset: MutableMapping[str, Any],
    folder: Path,
    names: list[str],
    rng: np.random.Generator,
) -> None:
    vocabulary = Vocabulary.load(dataset['vocabulary'])
    splits = dataset.get('splits')
    kept = [
        index
        for index, split in enumerate(vocabulary.splits)
        if splits is None or split in splits
    ]
    annotations = []
    for index in range(len(names)):
        for x1, y1, x2, y2 in _random_boxes(rng, _BOXES):
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=index,
                    category_id=int(rng.choice(kept)),
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    area=(x2 - x1) * (y2 - y1),
                    segmentation=[_ellipse(x1, y1, x2, y2)],
                    iscrowd=0,
                )
            )
    _write_json(folder / 'instances.json', names, annotations, vocabulary.names)
    dataset.update(
        data_root=str(folder),
        ann_file='instances.json',
        data_prefix=dict(img='img'),
    )


def _ellipse(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) + 1
    points = points * ((x2 - x1) / 2, (y2 - y1) / 2) + (x1, y1)
    return points.round(1).flatten().tolist()


def _write_json(
    path: Path,
    names: Sequence[str],
    annotations: list[dict[str, Any]],
    classes: Sequence[str],
) -> None:
    images = [
        dict(id=index, file_name=name, width=WIDTH, height=HEIGHT)
        for index, name in enumerate(names)
    ]
    categories = [dict(id=i, name=name) for i, name in enumerate(classes)]
    content = dict(images=images, annotations=annotations, categories=categories)
    path.write_text(json.dumps(content))


_WRITERS: dict[str, Callable[..., None]] = dict(
    OVDetDataset=_detection,
    PanopticRegionDataset=_panoptic,
    UnlabeledImageDataset=_unlabelled,
)
