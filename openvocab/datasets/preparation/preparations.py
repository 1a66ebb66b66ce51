"""What each data set needs, what is written, and what its configs read.

Paths are those of ``configs/_base_/datasets``, below one data root. The published
numbers of images are those that the papers of the benchmarks state.
"""

from pathlib import Path

from .ade20k import ADE20K_PREPARATIONS
from .archive import Archive
from .coco import COCO_PREPARATIONS
from .detection_boxes import DetectionBoxes
from .label_conversion import LabelFiles
from .label_maps import Found, LabelMaps
from .part import Part
from .pascal import PASCAL_PREPARATIONS
from .preparation import Preparation

_O365 = 'Objects365/Obj365_v1'
# Cityscapes' official ids of the 19 evaluated classes; the others have no class
_CITY = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


def _cityscapes(root: Path, out: Path) -> list[Part]:
    images = root / 'cityscapes/leftImg8bit/val'
    others = tuple(value for value in range(34) if value not in _CITY)
    return [
        LabelMaps(
            name='val',
            published=500,
            names=Found(images, '_leftImg8bit.png'),
            images=images,
            labels=root / 'cityscapes/gtFine/val',
            files=LabelFiles('cityscapes_19', _CITY, others),
            image_suffix='_leftImg8bit.png',
            label_suffix='_gtFine_labelIds.png',
            complete=True,
        )
    ]


def _objects365(root: Path, out: Path) -> list[Part]:
    return [
        DetectionBoxes(
            name='val',
            annotation=root / _O365 / 'annotations/objects365_val.json',
            images=root / _O365 / 'val',
            vocabulary='objects365_v1',
        )
    ]


PREPARATIONS: dict[str, Preparation] = {
    **COCO_PREPARATIONS,
    **ADE20K_PREPARATIONS,
    **PASCAL_PREPARATIONS,
    'cityscapes': Preparation(
        'cityscapes/{leftImg8bit,gtFine}/val',
        '',
        (
            Archive('leftImg8bit_trainvaltest.zip', 'cityscapes', ('leftImg8bit/',)),
            Archive('gtFine_trainvaltest.zip', 'cityscapes', ('gtFine/',)),
        ),
        _cityscapes,
    ),
    'objects365-v1': Preparation(
        f'{_O365}/val, {_O365}/annotations/objects365_val.json',
        '',
        (Archive('objects365_val.json', f'{_O365}/annotations'),),
        _objects365,
        f'the images of val, into {_O365}/val',
    ),
}
