"""Panoptic annotation as labelled regions: COCO, ADE20K and OV-Shapes."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from openvocab.registry import DATASETS
from openvocab.vocab.vocabulary import Vocabulary

from .annotation_io import require_folder
from .categories import report_absent
from .panoptic_json import PanopticImage, PanopticJson


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
        ValueError: The json is corrupt (the message names the entry).
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
        source = PanopticJson.load(self.ann_file, self.vocabulary)
        report_absent(source.labels, self.vocabulary, self.ann_file)
        self._report_flag_changes(source)
        items = [
            self._item(image, source.labels, img_folder, seg_folder)
            for image in source.images()
        ]
        images = source.content['images']
        if not items:
            raise ValueError(f'{self.ann_file} has no annotated image')
        if len(items) < len(images):
            print_log(
                f'{self.ann_file}: {len(images) - len(items)} of {len(images)} images '
                'have no annotation and are left out',
                logger='current',
            )
        return items

    def _report_flag_changes(self, source: PanopticJson) -> None:
        changed = source.flag_changes()
        if changed:
            print_log(
                f"{self.ann_file}: the vocabulary '{self.vocabulary.name}' flags "
                f'thing/stuff differently for {", ".join(changed)}; its flags are used',
                logger='current',
            )

    def _item(
        self,
        image: PanopticImage,
        labels: Mapping[Hashable, int],
        img_folder: Path,
        seg_folder: Path,
    ) -> dict[str, Any]:
        segments = [s for s in image.segments if not s.get('iscrowd', 0)]
        segment_labels = np.array(
            [labels[s['category_id']] for s in segments], dtype=np.int64
        )
        is_thing = np.asarray(self.vocabulary.is_thing, dtype=bool)
        height, width = image.size
        return dict(
            img_path=str(img_folder / image.image),
            img_id=image.id,
            height=height,
            width=width,
            seg_map_path=str(seg_folder / image.png),
            segment_ids=np.array([s['id'] for s in segments], dtype=np.int32),
            segment_labels=segment_labels,
            segment_is_thing=is_thing[segment_labels],
        )
