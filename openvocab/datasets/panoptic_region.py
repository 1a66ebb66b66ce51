"""Panoptic annotation as labelled regions: COCO, ADE20K and OV-Shapes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from openvocab.registry import DATASETS
from openvocab.vocab.class_entry import UnknownClassError
from openvocab.vocab.vocabulary import Vocabulary

from .annotation_io import read_json, require_folder, require_key


@DATASETS.register_module()
class PanopticRegionDataset(BaseDataset):
    """Images with panoptic segments whose classes are looked up by name.

    The layout is COCO's: a json with ``images``, ``annotations`` (``image_id``,
    ``file_name`` of the png, ``segments_info`` with ``id, category_id, iscrowd``) and
    ``categories`` (``id, name``), and a folder of pngs with the segment id written as
    R + 256 G + 256^2 B. ADE20K panoptic is distributed in the same layout.

    Labels are indices into the vocabulary, found by category *name* (see
    :meth:`Vocabulary.index`), never by id or position. Thing or stuff is the
    vocabulary's flag. Crowd segments are left out.

    Each item holds ``img_path, img_id, height, width, seg_map_path`` and, per segment,
    ``segment_ids`` (N,) int32, ``segment_labels`` (N,) int64, ``segment_is_thing`` (N,)
    bool; :class:`LoadPanopticRegions` turns these into regions.

    Args:
        ann_file: The panoptic json.
        data_prefix: ``dict(img=FOLDER, seg=FOLDER of the pngs)``.
        vocabulary: Anything :meth:`Vocabulary.load` takes.
        **kwargs: Arguments of :class:`mmengine.dataset.BaseDataset`. ``metainfo``
            entries override those of the vocabulary.

    Raises:
        FileNotFoundError: The json or a folder is missing.
        ValueError: The json is corrupt or a segment's category is undefined.
        UnknownClassError: A category is not in the vocabulary.
    """

    def __init__(
        self,
        ann_file: str,
        data_prefix: Mapping[str, str],
        vocabulary: Any,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocabulary = Vocabulary.load(vocabulary)
        super().__init__(
            ann_file=ann_file,
            data_prefix=dict(data_prefix),
            metainfo={**self.vocabulary.metainfo(), **(metainfo or {})},
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Joins images with their segments; called once by ``full_init``."""
        img_folder = require_folder(self.data_prefix['img'], 'image')
        seg_folder = require_folder(self.data_prefix['seg'], 'panoptic png')
        content = read_json(self.ann_file)
        images = require_key(content, 'images', self.ann_file)
        annotations = require_key(content, 'annotations', self.ann_file)
        labels = self._labels(require_key(content, 'categories', self.ann_file))
        try:
            by_image = {entry['image_id']: entry for entry in annotations}
            items = [
                self._item(image, by_image[image['id']], labels, img_folder, seg_folder)
                for image in images
                if image['id'] in by_image
            ]
        except (KeyError, TypeError) as error:
            raise ValueError(f'{self.ann_file}: an entry lacks {error}') from None
        if not items:
            raise ValueError(f'{self.ann_file} has no annotated image')
        if len(items) < len(images):
            print_log(
                f'{self.ann_file}: {len(images) - len(items)} of {len(images)} images '
                'have no annotation and are left out',
                logger='current',
            )
        return items

    def _labels(self, categories: list[dict[str, Any]]) -> dict[int, int]:
        """Maps category ids to vocabulary indices."""
        labels = {}
        for category in categories:
            try:
                labels[category['id']] = self.vocabulary.index(category['name'])
            except UnknownClassError:
                raise UnknownClassError(
                    f'{self.ann_file}: category {category["name"]!r} is not in the '
                    f'vocabulary {self.vocabulary.name!r}'
                ) from None
        self._report_flag_changes(categories, labels)
        return labels

    def _report_flag_changes(
        self, categories: list[dict[str, Any]], labels: dict[int, int]
    ) -> None:
        is_thing = self.vocabulary.is_thing
        changed = [
            category['name']
            for category in categories
            if 'isthing' in category
            and bool(category['isthing']) != is_thing[labels[category['id']]]
        ]
        if changed:
            print_log(
                f"{self.ann_file}: the vocabulary '{self.vocabulary.name}' flags "
                f'thing/stuff differently for {", ".join(changed)}; its flags are used',
                logger='current',
            )

    def _item(
        self,
        image: dict[str, Any],
        annotation: dict[str, Any],
        labels: dict[int, int],
        img_folder: Path,
        seg_folder: Path,
    ) -> dict[str, Any]:
        segments = [s for s in annotation['segments_info'] if not s.get('iscrowd', 0)]
        for segment in segments:
            if segment['category_id'] not in labels:
                raise ValueError(
                    f'{self.ann_file}: segment {segment["id"]} of image {image["id"]} '
                    f'has the undefined category id {segment["category_id"]}'
                )
        segment_labels = np.array(
            [labels[s['category_id']] for s in segments], dtype=np.int64
        )
        is_thing = np.asarray(self.vocabulary.is_thing, dtype=bool)
        return dict(
            img_path=str(img_folder / image['file_name']),
            img_id=image['id'],
            height=image['height'],
            width=image['width'],
            seg_map_path=str(seg_folder / annotation['file_name']),
            segment_ids=np.array([s['id'] for s in segments], dtype=np.int32),
            segment_labels=segment_labels,
            segment_is_thing=is_thing[segment_labels],
        )
