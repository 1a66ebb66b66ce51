"""Tiny archives of every data set, in the layout and under the names of the real ones.

Images are 36 x 48 (height, width): mmdet trains on no smaller ones than 32 px.
"""

import io
import json
import tarfile
import zipfile
from itertools import count

import numpy as np
from faster_coco_eval.core import mask as rle
from PIL import Image

from helpers.coco_style import annotation
from openvocab.vocab import Vocabulary

SIZE = (36, 48)
COCO_TRAIN = ('000000000009', '000000000025', '000000000030')
COCO_VAL = ('000000000139', '000000000285')
NAMES = (
    'coco-panoptic',
    'coco-stuff',
    'coco-object',
    'ov-coco',
    'ov-lvis',
    'objects365-v1',
    'ade20k-150',
    'ade20k-panoptic',
    'ade20k-847',
    'pascal-context',
    'pascal-context-459',
    'pascal-voc',
    'cityscapes',
)


def image(kind='JPEG', size=SIZE):
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    return encoded(noise, kind)


def encoded(pixels, kind='PNG'):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def grid(values, dtype=np.uint8):
    """A map of the size of the images that begins with ``values``."""
    flat = np.resize(np.asarray(values), SIZE[0] * SIZE[1])
    return flat.astype(dtype).reshape(SIZE)


def label_png(values, dtype=np.uint8):
    return encoded(grid(values, dtype))


def write_zip(path, files):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path, files, mode='w'):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def dump(content):
    return json.dumps(content).encode()


def coco_images(downloads):
    for split, names in (('train2017', COCO_TRAIN), ('val2017', COCO_VAL)):
        files = {f'{split}/{name}.jpg': image() for name in names}
        write_zip(downloads / f'{split}.zip', {f'{split}/': b'', **files})


def image_entries(names, **more):
    height, width = SIZE
    return [
        dict(id=int(n), file_name=f'{n}.jpg', height=height, width=width, **more)
        for n in names
    ]


# Values of stuffthingmaps: person, toothbrush, banner, wood, no class.
STUFF = (0, 89, 91, 181, 255)


def coco_stuff(downloads):
    files = {
        f'{split}/{name}.png': label_png(STUFF)
        for split, names in (('train2017', COCO_TRAIN), ('val2017', COCO_VAL))
        for name in names
    }
    write_zip(downloads / 'stuffthingmaps_trainval2017.zip', files)


def id_png(ids):
    planes = np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=-1)
    return encoded(planes.astype(np.uint8))


def coco_panoptic(downloads):
    classes = Vocabulary.load('coco_panoptic_133').classes
    categories = [
        dict(id=e.id, name=e.name, isthing=int(e.is_thing), supercategory='x')
        for e in classes
    ]
    ids = np.full(SIZE, 16_000_001)
    ids[6:, :8] = 259
    ids[:, 40:] = 0
    segments = [
        dict(id=16_000_001, category_id=1, iscrowd=0, area=1200, bbox=[0, 0, 40, 36]),
        dict(id=259, category_id=187, iscrowd=0, area=240, bbox=[0, 6, 8, 30]),
    ]
    files = {}
    for split, names in (('train2017', COCO_TRAIN), ('val2017', COCO_VAL)):
        annotations = [
            dict(image_id=int(n), file_name=f'{n}.png', segments_info=segments)
            for n in names
        ]
        files[f'annotations/panoptic_{split}.json'] = dump(
            dict(
                info={},
                images=image_entries(names),
                annotations=annotations,
                categories=categories,
            )
        )
        inner = io.BytesIO()
        pngs = {f'panoptic_{split}/{name}.png': id_png(ids) for name in names}
        write_zip(inner, {**pngs, f'__MACOSX/panoptic_{split}/._x': b'junk'})
        files[f'annotations/panoptic_{split}.zip'] = inner.getvalue()
    write_zip(downloads / 'panoptic_annotations_trainval2017.zip', files)


def boxes(names, categories, start=1):
    """One box of each category in every image."""
    numbers = count(start)
    return [
        annotation(next(numbers), int(name), category, [1, 1, 9, 9])
        for name in names
        for category in categories
    ]


def coco_instances(downloads):
    classes = Vocabulary.load('coco_80').classes
    categories = [dict(id=e.id, name=e.name, supercategory='x') for e in classes]
    # a base class, a novel one, and one that OV-COCO leaves out (traffic light)
    val = boxes(COCO_VAL[:1], [1, 5, 10]) + boxes(COCO_VAL[1:], [10], start=9)
    files = {}
    for split, names, annotations in (
        ('train2017', COCO_TRAIN, boxes(COCO_TRAIN, [1, 5, 10])),
        ('val2017', COCO_VAL, val),
    ):
        content = dict(
            info={},
            images=image_entries(names),
            annotations=annotations,
            categories=categories,
        )
        files[f'annotations/instances_{split}.json'] = dump(content)
    files['annotations/captions_val2017.json'] = b'{}'
    write_zip(downloads / 'annotations_trainval2017.zip', files)


def lvis(downloads):
    vocabulary = Vocabulary.load('lvis_v1')
    categories = [
        dict(id=e.id, name=e.name, frequency=e.split) for e in vocabulary.classes
    ]
    rare = vocabulary.classes[vocabulary.index('apricot')].id
    for split, folder, names in (
        ('train', 'train2017', COCO_TRAIN),
        ('val', 'train2017', COCO_TRAIN[:1]),
    ):
        images = [
            dict(
                id=int(name),
                height=SIZE[0],
                width=SIZE[1],
                coco_url=f'http://images.cocodataset.org/{folder}/{name}.jpg',
                neg_category_ids=[3],
                not_exhaustive_category_ids=[],
            )
            for name in names
        ]
        content = dict(
            info={},
            images=images,
            annotations=boxes(names, [1, rare]),
            categories=categories,
        )
        write_zip(
            downloads / f'lvis_v1_{split}.json.zip',
            {f'lvis_v1_{split}.json': dump(content)},
        )


def objects365(downloads, root):
    """The annotation, and the images where the user unpacks them."""
    classes = Vocabulary.load('objects365_v1').classes
    names = ('000000000001', '000000000002')
    content = dict(
        images=image_entries(names),
        annotations=boxes(names, [1, 365]),
        categories=[dict(id=e.id, name=e.name) for e in reversed(classes)],
    )
    (downloads / 'objects365_val.json').write_bytes(dump(content))
    folder = root / 'Objects365/Obj365_v1/val'
    folder.mkdir(parents=True)
    for name in names:
        (folder / f'{name}.jpg').write_bytes(image())


ADE_NAMES = (('training', 'ADE_train_00000001'), ('validation', 'ADE_val_00000001'))


def ade20k(downloads):
    top = 'ADEChallengeData2016'
    names = Vocabulary.load('ade20k_150').names
    rows = [f'{i + 1}\t0.1\t1\t1\t{name}' for i, name in enumerate(names)]
    files = {f'{top}/objectInfo150.txt': '\n'.join(['Idx\tRatio\tName', *rows])}
    instances = {}
    for split, name in ADE_NAMES:
        files[f'{top}/images/{split}/{name}.jpg'] = image()
        files[f'{top}/annotations/{split}/{name}.png'] = label_png(range(151))
        # 13 in 150 is person, the fourth thing; two of them, and one bed (8, first)
        planes = np.zeros((*SIZE, 3), np.uint8)
        planes[0:8, 2:10] = (4, 1, 0)
        planes[2:9, 12:22] = (4, 2, 0)
        planes[10:12, 12:16] = (1, 3, 0)
        instances[f'annotations_instance/{split}/{name}.png'] = encoded(planes)
    write_zip(downloads / f'{top}.zip', files)
    write_tar(downloads / 'annotations_instance.tar', instances)


ADE_FULL = [2978, 312, 2420, 0]  # wall, building, sky, no class


def ade20k_full(downloads):
    """Index 2978 is written as R = 110, G = 162; the parts of objects as well."""
    classes = Vocabulary.load('ade20k_847').classes
    # labels that need 16 bits, and those that 8 bits would confuse
    index = grid([*ADE_FULL, *(classes[i].id for i in (254, 255, 256, 846))], int)
    planes = np.stack([index // 256 * 10 + 3, index % 256, index * 0 + 7], axis=-1)
    folder = 'ADE20K_2021_17_01/images/ADE/validation/urban/street/ADE_val_00000001'
    files = {
        f'{folder}.jpg': image(),
        f'{folder}_seg.png': encoded(planes.astype(np.uint8)),
        f'{folder}_parts_1.png': encoded(planes.astype(np.uint8)),
        f'{folder}.json': b'{}',
        'ADE20K_2021_17_01/index_ade20k.pkl': b'never read',
        'ADE20K_2021_17_01/images/ADE/training/x/ADE_train_1.jpg': b'not needed',
    }
    write_zip(downloads / 'ADE20K_2021_17_01.zip', files)


VOC_TRAIN, VOC_VAL = '2008_000002', '2008_000003'


def voc2010(downloads):
    top = 'VOCdevkit/VOC2010'
    files = {f'{top}/JPEGImages/{n}.jpg': image() for n in (VOC_TRAIN, VOC_VAL)}
    files[f'{top}/JPEGImages/2008_000009.jpg'] = image()  # in no list of the benchmark
    write_tar(downloads / 'VOCtrainval_03-May-2010.tar', files)


def segment(number, category, rows, columns):
    mask = np.zeros(SIZE, np.uint8)
    mask[rows, columns] = 1
    code = rle.encode(np.asfortranarray(mask))
    if isinstance(code['counts'], bytes):
        code['counts'] = code['counts'].decode()
    code['size'] = [int(side) for side in code['size']]
    return dict(image_id=number, category_id=category, segmentation=code)


def pascal_context(downloads):
    voc2010(downloads)
    images = [
        dict(
            image_id=number,
            file_name=f'{name}.jpg',
            phase=phase,
            height=SIZE[0],
            width=SIZE[1],
        )
        for number, name, phase in ((2, VOC_TRAIN, 'train'), (3, VOC_VAL, 'val'))
    ]
    everything = slice(None)
    # aeroplane; cloth, none of the 59, over a part of it; wood, the last class
    segments = [
        part
        for number in (2, 3)
        for part in (
            segment(number, 2, slice(0, 4), everything),
            segment(number, 75, slice(0, 1), slice(0, 8)),
            segment(number, 458, slice(35, 36), everything),
        )
    ]
    content = dict(images=images, annos_segmentation=segments, categories=[])
    (downloads / 'trainval_merged.json').write_bytes(dump(content))


CONTEXT = [0, 1, 255, 256, 257, 459]


def mat(**content):
    from scipy.io import savemat

    stream = io.BytesIO()
    savemat(stream, content)
    return stream.getvalue()


def pascal_context_459(downloads):
    content = mat(LabelMap=grid(CONTEXT, np.uint16))
    files = {f'trainval/{name}.mat': content for name in (VOC_TRAIN, VOC_VAL)}
    write_tar(downloads / 'trainval.tar.gz', files, 'w:gz')


def pascal_voc(downloads):
    top = 'VOCdevkit/VOC2012'
    labels = Image.fromarray(grid([0, 1, 20, 255])).convert('P')
    stream = io.BytesIO()
    labels.putpalette(list(range(256)) * 3)
    labels.save(stream, 'PNG')
    files = {
        f'{top}/ImageSets/Segmentation/val.txt': f'{VOC_VAL}\n'.encode(),
        f'{top}/JPEGImages/{VOC_VAL}.jpg': image(),
        f'{top}/JPEGImages/{VOC_TRAIN}.jpg': image(),
        f'{top}/SegmentationClass/{VOC_VAL}.png': stream.getvalue(),
    }
    write_tar(downloads / 'VOCtrainval_11-May-2012.tar', files)


CITY_LABELS = [7, 33, 0, 3, 30]


def cityscapes(downloads):
    stem = 'frankfurt/frankfurt_000000_000294'
    write_zip(
        downloads / 'leftImg8bit_trainvaltest.zip',
        {'README': b'', f'leftImg8bit/val/{stem}_leftImg8bit.png': image('PNG')},
    )
    write_zip(
        downloads / 'gtFine_trainvaltest.zip',
        {
            f'gtFine/val/{stem}_gtFine_labelIds.png': label_png(CITY_LABELS),
            f'gtFine/val/{stem}_gtFine_instanceIds.png': label_png([26001], np.uint16),
            f'gtFine/val/{stem}_gtFine_color.png': image('PNG'),
            f'gtFine/val/{stem}_gtFine_polygons.json': b'{}',
        },
    )


def write_all(downloads, root):
    """Writes every archive, and below the data root what comes unpacked."""
    downloads.mkdir()
    for write in (
        coco_images,
        coco_stuff,
        coco_panoptic,
        coco_instances,
        lvis,
        ade20k,
        ade20k_full,
        pascal_context,
        pascal_context_459,
        pascal_voc,
        cityscapes,
    ):
        write(downloads)
    objects365(downloads, root)
