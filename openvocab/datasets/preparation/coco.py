"""COCO panoptic, COCO-Stuff, COCO-Object, OV-COCO and OV-LVIS."""

from pathlib import Path

from .archive import Archive
from .coco_stuff import ObjectLabels, StuffLabels, stuff_conversions
from .detection_boxes import DetectionBoxes
from .detection_split import DERIVATIONS
from .label_conversion import LabelConversion, LabelFiles
from .label_maps import ConvertedLabelMaps, Found
from .linked_folder import LinkedFolder
from .panoptic_maps import PanopticMaps
from .part import Part
from .preparation import Preparation

_COCO = {'train2017': 118_287, 'val2017': 5_000}
_IMAGES = tuple(Archive(f'{split}.zip', 'coco', keep=(f'{split}/',)) for split in _COCO)
_STUFF = Archive(
    'stuffthingmaps_trainval2017.zip',
    'coco/stuffthingmaps',
    keep=('train2017/', 'val2017/'),
)


def _coco_stuff(root: Path, out: Path) -> list[Part]:
    return _of_stuffthingmaps(root, out, StuffLabels, 'coco_stuff_171', 171)


def _coco_object(root: Path, out: Path) -> list[Part]:
    return _of_stuffthingmaps(root, out, ObjectLabels, 'coco_object_81', 81)


def _of_stuffthingmaps(
    root: Path, out: Path, kind: type[LabelConversion], vocabulary: str, classes: int
) -> list[Part]:
    parts = []
    for split, published in _COCO.items():
        source = root / 'coco/stuffthingmaps' / split
        target = out / f'coco/stuffthingmaps_{classes}' / split
        images = root / 'coco' / split
        parts.append(
            ConvertedLabelMaps(
                name=split,
                published=published,
                names=Found(images, '.jpg'),
                images=images,
                labels=target,
                files=LabelFiles(vocabulary),
                complete=True,
                archive=source,
                conversions=lambda source=source, target=target: stuff_conversions(
                    kind, source, target
                ),
            )
        )
    return parts


def _coco_panoptic(root: Path, out: Path) -> list[Part]:
    folder = root / 'coco/annotations'
    return [
        PanopticMaps(
            name=split,
            published=published,
            annotation=folder / f'panoptic_{split}.json',
            segments=folder / f'panoptic_{split}',
            images=root / 'coco' / split,
            vocabulary='coco_panoptic_133',
        )
        for split, published in _COCO.items()
    ]


def _ov_coco(root: Path, out: Path) -> list[Part]:
    return [
        DetectionBoxes(
            name=split,
            published=published,
            annotation=root / 'coco/annotations' / derivation.official,
            images=root / 'coco' / split,
            vocabulary='coco_80',
            derivation=derivation,
            derived=out / 'coco/annotations',
        )
        for (split, published), derivation in zip(
            _COCO.items(), DERIVATIONS['ov_coco'], strict=True
        )
    ]


def _ov_lvis(root: Path, out: Path) -> list[Part]:
    (norare,) = DERIVATIONS['ov_lvis']
    images = out / 'lvis_v1'
    links = [
        LinkedFolder(name=split, source=root / 'coco' / split, target=images / split)
        for split in _COCO
    ]
    boxes = [
        DetectionBoxes(
            name=name,
            published=published,
            annotation=root / f'lvis_v1/annotations/lvis_v1_{name}.json',
            images=images,
            vocabulary='lvis_v1',
            masks=True,
            derivation=derivation,
            derived=out / 'lvis_v1/annotations',
        )
        for name, published, derivation in (
            ('train', 100_170, norare),
            ('val', 19_809, None),
        )
    ]
    return [*links, *boxes]


COCO_PREPARATIONS = {
    'coco-panoptic': Preparation(
        'coco/{train2017,val2017}, coco/annotations/panoptic_{train2017,val2017}'
        '{.json,/*.png}',
        '',
        (
            *_IMAGES,
            Archive(
                'panoptic_annotations_trainval2017.zip',
                'coco',
                keep=('annotations/panoptic_',),
            ),
            *(
                Archive(
                    f'panoptic_{split}.zip',
                    'coco/annotations',
                    keep=(f'panoptic_{split}/',),
                    inside='coco/annotations',
                )
                for split in _COCO
            ),
        ),
        _coco_panoptic,
    ),
    'coco-stuff': Preparation(
        'coco/{train2017,val2017}, coco/stuffthingmaps/{train2017,val2017}',
        'coco/stuffthingmaps_171/{train2017,val2017}: labels 0..170, 255 ignored',
        (*_IMAGES, _STUFF),
        _coco_stuff,
    ),
    'coco-object': Preparation(
        'coco/{train2017,val2017}, coco/stuffthingmaps/{train2017,val2017}',
        'coco/stuffthingmaps_81/{train2017,val2017}: background 0, things 1..80',
        (*_IMAGES, _STUFF),
        _coco_object,
    ),
    'ov-coco': Preparation(
        'coco/{train2017,val2017}, coco/annotations/instances_{train2017,val2017}.json',
        'coco/annotations/instances_train2017_seen_2_65_cat.json and '
        'instances_val2017_all_2.json, for other tools: configs read the official ones',
        (
            *_IMAGES,
            Archive(
                'annotations_trainval2017.zip',
                'coco',
                keep=('annotations/instances_',),
            ),
        ),
        _ov_coco,
    ),
    'ov-lvis': Preparation(
        'coco/{train2017,val2017}, lvis_v1/annotations/lvis_v1_{train,val}.json',
        'lvis_v1/{train2017,val2017}: links to the images; '
        'lvis_v1/annotations/lvis_v1_train_norare.json, for other tools: configs read '
        'the official file',
        (
            *_IMAGES,
            *(
                Archive(f'lvis_v1_{split}.json.zip', 'lvis_v1/annotations')
                for split in ('train', 'val')
            ),
        ),
        _ov_lvis,
    ),
}
