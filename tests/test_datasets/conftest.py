import json

import cv2
import numpy as np
import pytest

CLASSES = [
    dict(name='cat', is_thing=True),
    dict(name='dog', is_thing=True),
    dict(name='sky-other-merged', synonyms=['sky'], is_thing=False),
    dict(name='grass', is_thing=False),
]
# Ids that use all three colour channels.
SKY, GRASS, CAT, CROWD = 16_000_001, 259, 70_000, 5


@pytest.fixture
def classes():
    return CLASSES


@pytest.fixture
def write_id_png():
    return _write_id_png


def _write_id_png(path, ids):
    bgr = np.stack([ids >> 16 & 255, ids >> 8 & 255, ids & 255], axis=-1)
    cv2.imwrite(str(path), bgr.astype(np.uint8))


@pytest.fixture
def panoptic_root(tmp_path):
    """One 30 x 50 image: sky over grass, a 10 x 12 cat, a crowd and an unknown id."""
    ids = np.full((30, 50), SKY)
    ids[15:] = GRASS
    ids[10:20, 20:32] = CAT
    ids[0:9, 40:50] = CROWD
    ids[25:, :3] = 77
    for folder in ('img', 'seg'):
        (tmp_path / folder).mkdir()
    _write_id_png(tmp_path / 'seg' / 'a.png', ids)
    image = np.random.default_rng(0).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'img' / 'a.png'), image)
    content = dict(
        images=[dict(id=7, file_name='a.png', height=30, width=50)],
        annotations=[
            dict(
                image_id=7,
                file_name='a.png',
                segments_info=[
                    dict(id=SKY, category_id=187, iscrowd=0),
                    dict(id=CAT, category_id=17, iscrowd=0),
                    dict(id=CROWD, category_id=18, iscrowd=1),
                    dict(id=GRASS, category_id=193, iscrowd=0),
                ],
            )
        ],
        categories=[
            dict(id=193, name='grass', isthing=0),
            dict(id=187, name='sky-other-merged', isthing=0),
            dict(id=18, name='dog', isthing=1),
            dict(id=17, name='cat', isthing=1),
        ],
    )
    (tmp_path / 'panoptic.json').write_text(json.dumps(content))
    return tmp_path
