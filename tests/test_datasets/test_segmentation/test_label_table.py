import numpy as np
import pytest

from openvocab.datasets.segmentation import LabelTable


def test_values_become_labels():
    table = LabelTable([5, 3, 200], ignored_values=[0], ignore_index=255)
    labels = table.apply(np.array([[3, 5], [200, 0]], np.uint8))
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[1, 0], [2, 255]]


def test_labels_above_255_survive():
    table = LabelTable(range(847), ignored_values=[65535], ignore_index=65535)
    values = np.array([[0, 255, 256, 846, 65535]], np.uint16)
    for dtype in (np.uint16, np.int32):  # Pillow widens 16-bit png to 32
        labels = table.apply(values.astype(dtype))
        assert labels.dtype == np.uint16 and (labels == values).all()


def test_held_out_classes_are_ignored():
    table = LabelTable([1, 2, 3], [0], 255, ignored_labels=[0, 2])
    assert table.apply(np.array([[0, 1, 2, 3]])).tolist() == [[255, 255, 1, 255]]


@pytest.mark.parametrize('value', [4, 255, 65534])
def test_unknown_value_is_an_error(value):
    table = LabelTable(range(4), [65535], 65535)
    with pytest.raises(ValueError, match=rf'value {value} \(2 pixels\)'):
        table.apply(np.array([[0, value, value]], np.uint16))


@pytest.mark.parametrize('value', [-1, 65536])
def test_value_beyond_16_bits_does_not_wrap(value):
    table = LabelTable(range(4), [65535], 65535)
    with pytest.raises(ValueError, match=f'value {value} '):
        table.apply(np.array([[0, value]], np.int32))


def test_many_unknown_values_are_shortened():
    table = LabelTable(range(4), [255], 255)
    with pytest.raises(ValueError, match=r'value 4, 5, 6, 7, 8, \.\.\. \(96 pixels\)'):
        table.apply(np.arange(100, dtype=np.uint8)[None])


def test_empty_image():
    table = LabelTable(range(4), [255], 255)
    assert table.apply(np.zeros((0, 7), np.uint8)).shape == (0, 7)


@pytest.mark.parametrize(
    ('file_values', 'ignored', 'ignore_index', 'message'),
    [
        ([1, 2, 1], [], 255, 'value 1 of the label files is given twice'),
        ([1, 2], [2], 255, 'value 2 of the label files is given twice'),
        ([1, 70000], [], 255, 'value 70000 of the label files is outside'),
        (range(300), [], 255, 'ignore_index=255 would be one of the 300 labels'),
    ],
)
def test_contradictions(file_values, ignored, ignore_index, message):
    with pytest.raises(ValueError, match=message):
        LabelTable(file_values, ignored, ignore_index)
