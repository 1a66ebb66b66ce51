"""An official-style OV-COCO json of three images, for the detection tests."""

import json
import random

from openvocab.vocab import Vocabulary

FILES = ('000000000139.jpg', '000000000285.jpg', '000000000632.jpg')


def official_json():
    """80 shuffled categories; image 632 has only a class that OV-COCO drops."""
    categories = [
        dict(id=entry.id, name=entry.name, supercategory='x')
        for entry in Vocabulary.load('coco_80').classes
    ]
    random.Random(0).shuffle(categories)
    ids = {category['name']: category['id'] for category in categories}
    images = [
        dict(id=int(name[:-4]), file_name=name, height=30, width=50, license=1)
        for name in FILES
    ]
    return dict(
        info=dict(year=2017),
        licenses=[],
        images=images,
        annotations=[
            annotation(11, 139, ids['toothbrush'], [5, 5, 10, 8]),
            annotation(12, 285, ids['airplane'], [0, 0, 50, 30]),
            annotation(13, 139, ids['person'], [20, 4, 12.5, 20]),
            annotation(14, 139, ids['airplane'], [1, 1, 9, 9]),
            annotation(15, 632, ids['traffic light'], [1, 1, 9, 9]),
            annotation(16, 139, ids['traffic light'], [1, 1, 9, 9]),
        ],
        categories=categories,
    )


def annotation(number, image, category, bbox, **more):
    x, y, width, height = bbox
    corners = [x, y, x + width, y, x + width, y + height, x, y + height]
    return dict(
        id=number,
        image_id=image,
        category_id=category,
        bbox=bbox,
        area=width * height,
        iscrowd=0,
        segmentation=[corners],
        **more,
    )


def write(path, content):
    path.write_text(json.dumps(content))
    return str(path)
