"""ADE20K: 150 classes, their panoptic annotation, and 847 classes."""

from pathlib import Path

from .ade20k_full import full_conversions
from .ade20k_names import ADE20KLabelMaps
from .ade20k_panoptic import SEMANTIC, ADE20KPanoptic
from .archive import Archive
from .label_conversion import LabelFiles
from .label_maps import ConvertedLabelMaps, Found
from .part import Part
from .preparation import Preparation

_ADE = 'ADEChallengeData2016'
_ADE_FULL = 'ADE20K_2021_17_01'
_ADE_CHALLENGE = Archive(f'{_ADE}.zip', '.', keep=(f'{_ADE}/',))


def _ade20k(root: Path, out: Path) -> list[Part]:
    return [
        ADE20KLabelMaps(
            name=split,
            published=published,
            names=Found(root / _ADE / 'images' / split, '.jpg'),
            images=root / _ADE / 'images' / split,
            labels=root / _ADE / 'annotations' / split,
            files=SEMANTIC,
            complete=True,
            class_list=root / _ADE / 'objectInfo150.txt',
        )
        for split, published in (('training', None), ('validation', 2_000))
    ]


def _ade20k_panoptic(root: Path, out: Path) -> list[Part]:
    return [
        ADE20KPanoptic(
            name=split,
            published=published,
            annotation=out / _ADE / f'ade20k_panoptic_{short}.json',
            segments=out / _ADE / f'ade20k_panoptic_{short}',
            images=root / _ADE / 'images' / split,
            vocabulary='ade20k_150',
            semantic=root / _ADE / 'annotations' / split,
            instances=root / _ADE / 'annotations_instance' / split,
        )
        for split, short, published in (
            ('training', 'train', None),
            ('validation', 'val', 2_000),
        )
    ]


def _ade20k_full(root: Path, out: Path) -> list[Part]:
    source = root / _ADE_FULL / 'images/ADE/validation'
    target = out / _ADE_FULL
    images = target / 'images_847/validation'
    return [
        ConvertedLabelMaps(
            name='validation',
            published=2_000,
            names=Found(images, '.jpg'),
            images=images,
            labels=target / 'annotations_847/validation',
            files=LabelFiles('ade20k_847'),
            complete=True,
            archive=source,
            conversions=lambda: full_conversions(source, target),
        )
    ]


ADE20K_PREPARATIONS = {
    'ade20k-150': Preparation(
        f'{_ADE}/{{images,annotations}}/{{training,validation}}',
        '',
        (_ADE_CHALLENGE,),
        _ade20k,
    ),
    'ade20k-panoptic': Preparation(
        f'{_ADE}/{{images,annotations,annotations_instance}}/{{training,validation}}',
        f'{_ADE}/ade20k_panoptic_{{train,val}}{{.json,/*.png}}: 100 things, 50 stuff',
        (
            _ADE_CHALLENGE,
            Archive('annotations_instance.tar', _ADE, keep=('annotations_instance/',)),
        ),
        _ade20k_panoptic,
    ),
    'ade20k-847': Preparation(
        f'{_ADE_FULL}/images/ADE/validation (the release of 17 January 2021)',
        f'{_ADE_FULL}/{{annotations_847,images_847}}/validation: 16 bits, labels '
        '0..846, 65535 ignored, shorter side 512 px at most',
        (
            Archive(
                f'{_ADE_FULL}.zip', '.', keep=(f'{_ADE_FULL}/images/ADE/validation/',)
            ),
        ),
        _ade20k_full,
    ),
}
