"""Images without labels: all that region-language alignment needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from openvocab.registry import DATASETS

from .annotation_io import read_json, require_folder, require_list
from .proposals import load_proposals

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_EMPTY = np.zeros((0, 5), dtype=np.float32)


@DATASETS.register_module()
class UnlabeledImageDataset(BaseDataset):
    """Images named by a COCO-style json, or all images below a folder.

    Each item holds ``img_path``, ``img_id`` (the json's id, or the path below the
    folder) and, with ``proposals_file``, ``proposals``: (N, 5) float32 x1, y1, x2, y2,
    score in pixels of the original image, (0, 5) where the file names none.

    Args:
        ann_file: COCO-style json of which only ``images`` is read. Without it the
            image folder is searched recursively, in sorted order.
        data_prefix: ``dict(img=FOLDER)``.
        proposals_file: Boxes per image, see :func:`load_proposals`. Relative paths
            start at ``data_root``.
        image_suffixes: What counts as an image in a folder, in any case.
        **kwargs: Arguments of :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: The json, the folder or the proposals file is missing.
        ValueError: A file is corrupt, no image is found, or no proposal belongs to any
            of the images.
    """

    METAINFO = dict(classes=())

    def __init__(
        self,
        ann_file: str | None = None,
        data_prefix: Mapping[str, str] | None = None,
        proposals_file: str | None = None,
        image_suffixes: Sequence[str] = IMAGE_SUFFIXES,
        **kwargs: Any,
    ) -> None:
        self.proposals_file = proposals_file
        self.image_suffixes = tuple(suffix.lower() for suffix in image_suffixes)
        super().__init__(
            ann_file=ann_file or '',
            data_prefix=dict(data_prefix or dict(img='')),
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Lists the images; called once by ``full_init``."""
        folder = require_folder(self.data_prefix['img'], 'image')
        items = self._from_json(folder) if self.ann_file else self._from_folder(folder)
        if not items:
            raise ValueError(f'no image found in {self.ann_file or folder}')
        if self.proposals_file:
            self._attach_proposals(items)
        return items

    def _from_json(self, folder: Path) -> list[dict[str, Any]]:
        images = require_list(read_json(self.ann_file), 'images', self.ann_file)
        try:
            return [
                dict(
                    img_path=str(folder / image['file_name']),
                    img_id=image['id'],
                    file_name=image['file_name'],
                )
                for image in images
            ]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{self.ann_file}: an entry of 'images' lacks {error}"
            ) from None

    def _from_folder(self, folder: Path) -> list[dict[str, Any]]:
        paths = sorted(
            path
            for path in folder.rglob('*')
            if path.suffix.lower() in self.image_suffixes and path.is_file()
        )
        names = [path.relative_to(folder).as_posix() for path in paths]
        return [
            dict(img_path=str(path), img_id=name, file_name=name)
            for path, name in zip(paths, names, strict=True)
        ]

    def _attach_proposals(self, items: list[dict[str, Any]]) -> None:
        path = Path(self.data_root or '') / self.proposals_file
        proposals = load_proposals(path)
        found = 0
        for item in items:
            keys = (str(item['img_id']), item['file_name'])
            key = next((key for key in keys if key in proposals), None)
            item['proposals'] = _EMPTY if key is None else proposals[key]
            found += key is not None and len(proposals[key]) > 0
        if not found:
            raise ValueError(
                f'{path} has no proposal for any of the {len(items)} images of '
                f'{self.ann_file or self.data_prefix["img"]}; keys must be image ids '
                'or file names'
            )
        if found < len(items):
            print_log(
                f'{len(items) - found} of {len(items)} images have no proposal in '
                f'{path}',
                logger='current',
            )
