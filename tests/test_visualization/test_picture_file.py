import os

import cv2
import numpy as np
import pytest

from openvocab.visualization import write_picture

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_a_picture_is_written_with_its_folder(tmp_path):
    path = tmp_path / 'deep' / 'a.png'
    write_picture(path, IMAGE)
    assert np.array_equal(cv2.imread(str(path)), IMAGE)
    assert os.listdir(path.parent) == ['a.png']


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / 'dir.png').mkdir()
    (tmp_path / 'file').touch()
    for name, error in (
        ('a.txt', ValueError),
        ('a', ValueError),
        ('dir.png', IsADirectoryError),
        ('file/a.png', OSError),
    ):
        with pytest.raises(error):
            write_picture(tmp_path / name, IMAGE)
    assert sorted(os.listdir(tmp_path)) == ['dir.png', 'file']


def test_a_failed_write_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'imencode', lambda *a: (False, None))
    with pytest.raises(ValueError, match=r'a\.png'):
        write_picture(tmp_path / 'a.png', IMAGE)
    assert not (tmp_path / 'a.png').exists()
