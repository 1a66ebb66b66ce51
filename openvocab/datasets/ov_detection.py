"""Detection with the classes of a vocabulary: OV-COCO, OV-LVIS, transfer, OV-Shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.datasets import CocoDataset
from mmengine.fileio import get_local_path

from openvocab.registry import DATASETS
from openvocab.vocab.vocabulary import Vocabulary

from .categories import report_absent
from .detection_json import DetectionJson, check_box, image_name


@DATASETS.register_module()
class OVDetDataset(CocoDataset):
    """mmdet's ``CocoDataset`` with labels that index a vocabulary.

    Reads COCO-style json, and LVIS v1, whose images are found by ``coco_url``
    (``train2017/000000391895.jpg``) since they have no ``file_name``. The federated
    entries of LVIS matter to the metric alone, which reads the file itself.

    A category's label is the position of its *name* in the vocabulary, so the official
    files and those derived from them (with 48, 65 or 1203 categories, in any order)
    give the same items. Base training reads the official file with
    ``splits=('base',)``; no derived file is needed.

    An image counts as annotated if it keeps an annotation of any kind: OVR-CNN's rule,
    which gives OV-COCO's 107,761 training and 4,836 validation images. Boxes that
    mmdet leaves out (no area, under 1 px, outside the image) and crowds, which become
    ``ignore_flag``, count as annotation too.

    Args:
        ann_file: The json.
        vocabulary: Anything :meth:`Vocabulary.load` takes.
        splits: Splits of the vocabulary whose annotations are kept, such as
            ``('base',)``, or ``('c', 'f')`` for LVIS; None keeps all. The label space
            stays the whole vocabulary. With ``filter_cfg=dict(filter_empty_gt=True)``,
            which mmdet applies in training only, images left without annotation are
            left out.
        drop_unknown: Names of the categories outside the vocabulary that are left out
            on purpose: a list, or anything else :meth:`Vocabulary.load` takes
            (``'coco_80'`` for the 15 classes that OV-COCO does not use). Other unknown
            categories are an error.
        keep_only_annotated: Leave out images without annotation, in testing too.
        metainfo: Entries that override those of the vocabulary.
        **kwargs: Arguments of mmdet's ``CocoDataset``.

    Raises:
        FileNotFoundError: The json is missing.
        ValueError: The json is corrupt (the message names the entry), or no image is
            left.
        UnknownClassError: A category is neither in the vocabulary nor in
            ``drop_unknown``.
        VocabularyError: The vocabulary has no such split.
    """

    def __init__(
        self,
        ann_file: str,
        vocabulary: Any,
        splits: Sequence[str] | None = None,
        drop_unknown: Any = None,
        keep_only_annotated: bool = False,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocabulary = Vocabulary.load(vocabulary)
        self.splits = None if splits is None else tuple(splits)
        self.drop_unknown = drop_unknown
        self.keep_only_annotated = keep_only_annotated
        kwargs.setdefault('data_prefix', dict(img=''))  # mmdet looks up `img`
        super().__init__(
            ann_file=ann_file,
            metainfo={**self.vocabulary.metainfo(), **(metainfo or {})},
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Joins images with their boxes; called once by ``full_init``."""
        with get_local_path(self.ann_file, backend_args=self.backend_args) as path:
            source = DetectionJson.load(path, self.vocabulary, self.drop_unknown)
        report_absent(source.labels, self.vocabulary, self.ann_file)
        by_image = source.annotations_of(self.splits)
        self.cat2label = dict(source.labels)
        # A dict while mmdet asks of every box whether its category is in here: with
        # the 1,203 of LVIS a list takes nearly half of the time of this loop.
        self.cat_ids = self.cat2label
        # From the annotations that are kept: mmdet's filter_empty_gt goes by it.
        self.cat_img_map = {category: [] for category in self.cat_ids}
        data_list = []
        for image in source.images:
            annotations = by_image[image['id']]
            if self.keep_only_annotated and not annotations:
                continue
            for annotation in annotations:
                check_box(annotation, self.ann_file)
                self.cat_img_map[annotation['category_id']].append(image['id'])
            data_list.append(
                self.parse_data_info(
                    dict(raw_img_info=self._image(image), raw_ann_info=annotations)
                )
            )
        self.cat_ids = list(self.cat2label)
        return data_list

    def filter_data(self) -> list[dict[str, Any]]:
        """Applies mmdet's ``filter_cfg``.

        Raises:
            ValueError: No image is left.
        """
        data_list = super().filter_data()
        if not data_list:
            raise ValueError(
                f'{self.ann_file}: no image is left; keep more splits '
                f'({self.splits}) or images without annotation'
            )
        return data_list

    def _image(self, image: dict[str, Any]) -> dict[str, Any]:
        """Adds what mmdet expects of an image entry.

        Raises:
            ValueError: The entry lacks its size, or both file name and address.
        """
        size = image.get('height'), image.get('width')
        if not all(isinstance(side, (int, float)) and side > 0 for side in size):
            raise ValueError(f'{self.ann_file}: image {image["id"]} has no size')
        name = image_name(image, self.ann_file)
        return {**image, 'img_id': image['id'], 'file_name': name}
