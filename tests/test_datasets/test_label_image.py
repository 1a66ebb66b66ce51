import io

import cv2
import numpy as np
import pytest
from PIL import Image

from openvocab.datasets.label_image import decode_label_image, write_label_image


@pytest.mark.parametrize('dtype', ['uint8', 'uint16'])
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_round_trip_keeps_every_value(dtype, suffix, tmp_path):
    values = np.array([[0, 1, 127], [128, 254, 255]], dtype)
    if dtype == 'uint16':
        values[1] = [256, 846, 65535]
    path = tmp_path / f'new/labels{suffix}'
    write_label_image(path, values)
    read = decode_label_image(path.read_bytes())
    assert read.shape == (2, 3) and (read == values).all()
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == values).all()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_palette_is_not_applied():
    image = Image.fromarray(np.array([[0, 20, 255]], np.uint8)).convert('P')
    image.putdata([0, 20, 255])
    image.putpalette([(7 * i) % 256 for i in range(768)])
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    assert decode_label_image(buffer.getvalue()).tolist() == [[0, 20, 255]]


def test_other_content_is_refused(tmp_path):
    with pytest.raises(ValueError, match='empty file'):
        decode_label_image(b'')
    with pytest.raises(ValueError, match='not a readable label image'):
        decode_label_image(b'not an image')
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(buffer, 'PNG')
    with pytest.raises(ValueError, match=r'one channel.*\(4, 5, 3\)'):
        decode_label_image(buffer.getvalue())
    with pytest.raises(TypeError, match='int64'):
        write_label_image(tmp_path / 'labels.png', np.zeros((2, 2), np.int64))
    assert not list(tmp_path.iterdir())


def test_truncated_file_is_refused(tmp_path):
    write_label_image(tmp_path / 'labels.png', np.arange(4096, dtype=np.uint16)[None])
    content = (tmp_path / 'labels.png').read_bytes()
    with pytest.raises(ValueError, match='not a readable label image'):
        decode_label_image(content[: len(content) // 2])
