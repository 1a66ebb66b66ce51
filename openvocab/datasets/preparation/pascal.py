"""PASCAL-Context with 59 and 459 classes, and PASCAL VOC."""

from pathlib import Path

from .archive import Archive
from .label_conversion import LabelFiles
from .label_maps import ConvertedLabelMaps, Found, LabelMaps, Listed
from .part import Part
from .pascal_context import all_conversions, frequent_conversions
from .preparation import Preparation

_VOC10, _VOC12 = 'VOCdevkit/VOC2010', 'VOCdevkit/VOC2012'
_VOC10_IMAGES = Archive('VOCtrainval_03-May-2010.tar', '.', keep=(f'{_VOC10}/',))


def _pascal_context(root: Path, out: Path) -> list[Part]:
    source = root / _VOC10 / 'trainval_merged.json'
    target = out / _VOC10 / 'SegmentationClassContext'
    lists = out / _VOC10 / 'ImageSets/SegmentationContext'
    return [
        ConvertedLabelMaps(
            name=phase,
            published=published,
            names=Listed(lists / f'{phase}.txt'),
            images=root / _VOC10 / 'JPEGImages',
            labels=target,
            files=LabelFiles('pascal_context_60'),
            archive=source,
            conversions=lambda phase=phase: frequent_conversions(source, target, phase),
            image_list=lists / f'{phase}.txt',
        )
        for phase, published in (('train', 4_998), ('val', 5_105))
    ]


def _pascal_context_all(root: Path, out: Path) -> list[Part]:
    source = root / _VOC10 / 'trainval'
    target = out / _VOC10 / 'SegmentationContext459'
    common = dict(
        images=root / _VOC10 / 'JPEGImages',
        labels=target,
        files=LabelFiles('pascal_context_459'),
    )
    return [
        ConvertedLabelMaps(
            name='train and val',
            published=10_103,
            names=Found(target, '.png'),
            archive=source,
            conversions=lambda: all_conversions(source, target),
            **common,
        ),
        # what the config scores; `pascal-context` writes the list
        LabelMaps(
            name='val',
            published=5_105,
            names=Listed(out / _VOC10 / 'ImageSets/SegmentationContext/val.txt'),
            **common,
        ),
    ]


def _pascal_voc(root: Path, out: Path) -> list[Part]:
    return [
        LabelMaps(
            name='val',
            published=1_449,
            names=Listed(root / _VOC12 / 'ImageSets/Segmentation/val.txt'),
            images=root / _VOC12 / 'JPEGImages',
            labels=root / _VOC12 / 'SegmentationClass',
            files=LabelFiles('pascal_voc_21'),
        )
    ]


PASCAL_PREPARATIONS = {
    'pascal-context': Preparation(
        f'{_VOC10}/JPEGImages, {_VOC10}/trainval_merged.json',
        f'{_VOC10}/SegmentationClassContext: background 0, the 59 classes 1..59; '
        f'{_VOC10}/ImageSets/SegmentationContext/{{train,val}}.txt',
        (_VOC10_IMAGES, Archive('trainval_merged.json', _VOC10)),
        _pascal_context,
    ),
    'pascal-context-459': Preparation(
        f'{_VOC10}/JPEGImages, {_VOC10}/trainval/*.mat; the list of pascal-context',
        f'{_VOC10}/SegmentationContext459: 16 bits, labels 0..458, 65535 ignored',
        (_VOC10_IMAGES, Archive('trainval.tar.gz', _VOC10, keep=('trainval/',))),
        _pascal_context_all,
    ),
    'pascal-voc': Preparation(
        f'{_VOC12}/{{JPEGImages,SegmentationClass}}, '
        f'{_VOC12}/ImageSets/Segmentation/val.txt (for 20, 20b and 21 classes)',
        '',
        (Archive('VOCtrainval_11-May-2012.tar', '.', keep=(f'{_VOC12}/',)),),
        _pascal_voc,
    ),
}
