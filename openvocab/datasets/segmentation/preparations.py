"""What each segmentation benchmark needs from its archives.

ADE20K-150, Pascal VOC and Cityscapes are read as they are released: see ``file_values``
and ``reduce_zero_label`` of :class:`OVSegDataset` and the configs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openvocab.vocab.ignored_label import default_ignore_index
from openvocab.vocab.vocabulary import Vocabulary

from .ade20k_full import full_conversions
from .coco_stuff import ObjectLabels, StuffLabels, stuff_conversions
from .conversion import LabelConversion, LabelCounts
from .pascal_context import all_conversions, frequent_conversions, write_image_list


@dataclass(frozen=True)
class Part:
    """One set of label maps.

    Attributes:
        name: Shown in tables.
        vocabulary: Name of the vocabulary that its labels index.
        conversions: The label maps.
        published_images: Number of images of the benchmark.
        image_list: File to write the names of the images to.
    """

    name: str
    vocabulary: str
    conversions: list[LabelConversion]
    published_images: int
    image_list: Path | None = None

    def empty_counts(self) -> LabelCounts:
        """Counts of the part's classes, all zero."""
        classes = len(Vocabulary.load(self.vocabulary))
        return LabelCounts(classes, default_ignore_index(classes))

    def write_list(self) -> None:
        """Writes the list of images, where the part has one."""
        if self.image_list is not None:
            write_image_list(self.image_list, self.conversions)


@dataclass(frozen=True)
class Preparation:
    """How the label maps of a benchmark are prepared.

    Attributes:
        needs: Files or folders of the archives, below the root of the data set.
        writes: What appears below the output folder.
        root: Usual root.
        parts: (root, output folder) -> the parts whose archives are there.
    """

    needs: str
    writes: str
    root: str
    parts: Callable[[Path, Path], list[Part]]


def _stuff(root: Path, out: Path) -> list[Part]:
    return _of_stuffthingmaps(root, out, StuffLabels, 'coco_stuff_171', 171)


def _objects(root: Path, out: Path) -> list[Part]:
    return _of_stuffthingmaps(root, out, ObjectLabels, 'coco_object_81', 81)


def _of_stuffthingmaps(
    root: Path, out: Path, kind: type[LabelConversion], vocabulary: str, classes: int
) -> list[Part]:
    published = {'train2017': 118_287, 'val2017': 5_000}
    return [
        Part(
            split,
            vocabulary,
            stuff_conversions(
                kind,
                root / 'stuffthingmaps' / split,
                out / f'stuffthingmaps_{classes}' / split,
            ),
            images,
        )
        for split, images in published.items()
        if (root / 'stuffthingmaps' / split).is_dir()
    ]


def _full(root: Path, out: Path) -> list[Part]:
    folder = root / 'images/ADE/validation'
    if not folder.is_dir():
        return []
    return [Part('validation', 'ade20k_847', full_conversions(folder, out), 2_000)]


def _frequent(root: Path, out: Path) -> list[Part]:
    source = root / 'trainval_merged.json'
    if not source.is_file():
        return []
    published = {'train': 4_998, 'val': 5_105}
    lists = out / 'ImageSets/SegmentationContext'
    phases = frequent_conversions(source, out / 'SegmentationClassContext')
    return [
        Part(
            phase,
            'pascal_context_60',
            phases[phase],
            images,
            lists / f'{phase}.txt',
        )
        for phase, images in published.items()
        if phase in phases
    ]


def _all(root: Path, out: Path) -> list[Part]:
    folder = root / 'trainval'
    if not folder.is_dir():
        return []
    conversions = all_conversions(folder, out / 'SegmentationContext459')
    return [Part('train and val', 'pascal_context_459', conversions, 10_103)]


PREPARATIONS: dict[str, Preparation] = {
    'coco-stuff': Preparation(
        'stuffthingmaps/{train2017,val2017} (stuffthingmaps_trainval2017.zip)',
        'stuffthingmaps_171/{train2017,val2017}: labels 0..170, 255 ignored',
        'data/coco',
        _stuff,
    ),
    'coco-object': Preparation(
        'stuffthingmaps/{train2017,val2017} (stuffthingmaps_trainval2017.zip)',
        'stuffthingmaps_81/{train2017,val2017}: background 0, things 1..80',
        'data/coco',
        _objects,
    ),
    'ade20k-847': Preparation(
        'images/ADE/validation (ADE20K_2021_17_01)',
        'annotations_847/validation, images_847/validation: 16 bits, labels 0..846, '
        '65535 ignored, shorter side 512 px at most',
        'data/ADE20K_2021_17_01',
        _full,
    ),
    'pascal-context': Preparation(
        'trainval_merged.json',
        'SegmentationClassContext: background 0, the 59 classes 1..59; '
        'ImageSets/SegmentationContext/{train,val}.txt',
        'data/VOCdevkit/VOC2010',
        _frequent,
    ),
    'pascal-context-459': Preparation(
        'trainval/*.mat (trainval.tar.gz)',
        'SegmentationContext459: 16 bits, labels 0..458, 65535 ignored',
        'data/VOCdevkit/VOC2010',
        _all,
    ),
}
