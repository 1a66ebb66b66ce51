import numpy as np
import pytest

from openvocab.datasets import LoadPanopticRegions
from openvocab.datasets.transforms.load_panoptic_regions import read_panoptic_png


def results_of(path, ids, listed, shape=None):
    height, width = ids.shape
    new_height, new_width = shape or ids.shape
    count = len(listed)
    return dict(
        img_path='x.jpg',
        seg_map_path=str(path),
        ori_shape=(height, width),
        scale_factor=(new_width / width, new_height / height),
        segment_ids=np.array(listed, np.int32),
        segment_labels=np.arange(count, dtype=np.int64) + 10,
        segment_is_thing=np.arange(count) % 2 == 0,
    )


@pytest.fixture
def random_ids():
    rng = np.random.default_rng(1)
    ids = rng.choice(1 << 24, 9, replace=False)[rng.integers(0, 9, (5, 7))]
    return np.kron(ids, np.ones((11, 9), dtype=np.int64))


def test_ids_use_three_channels(tmp_path, write_id_png):
    ids = np.array([[0, 1, 255], [256, 65_536, (1 << 24) - 1]])
    write_id_png(tmp_path / 'p.png', ids)
    np.testing.assert_array_equal(read_panoptic_png(tmp_path / 'p.png'), ids)


@pytest.mark.parametrize('shape', [None, (110, 126), (27, 31)])
def test_equals_a_plain_reference(tmp_path, write_id_png, random_ids, shape):
    ids = random_ids
    path = tmp_path / 'p.png'
    write_id_png(path, ids)
    listed = np.unique(ids)[::-1][:-1]
    transform = LoadPanopticRegions(min_size=0)
    results = transform.transform(results_of(path, ids, listed, shape))
    regions, segment_map = results['regions'], results['segment_map']
    shape = shape or ids.shape
    assert segment_map.shape == shape and segment_map.dtype == np.int32
    scale = np.array([shape[1] / ids.shape[1], shape[0] / ids.shape[0]] * 2)
    for i, segment_id in enumerate(listed):
        rows, columns = np.nonzero(ids == segment_id)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(regions['bboxes'][i], box * scale, rtol=1e-6)
        assert regions['labels'][i] == 10 + i
    # Nearest neighbour at pixel centres.
    rows = ((np.arange(shape[0]) + 0.5) * ids.shape[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * ids.shape[1] / shape[1]).astype(int)
    sampled = ids[rows][:, columns]
    expected = np.zeros(shape, int)
    for i, segment_id in enumerate(listed):
        expected[sampled == segment_id] = i + 1
    np.testing.assert_array_equal(segment_map, expected)


def test_size_filter_is_in_original_pixels_and_order_is_kept(tmp_path, write_id_png):
    ids = np.zeros((40, 40), int)
    ids[0:8, 0:8] = 1  # 64 px: the smallest allowed
    ids[0:7, 20:29] = 2  # 63 px
    ids[20:40, 0:40] = 3
    path = tmp_path / 'p.png'
    write_id_png(path, ids)
    results = LoadPanopticRegions().transform(
        results_of(path, ids, [2, 3, 1], (20, 20))
    )
    assert results['regions']['labels'].tolist() == [11, 12]
    assert results['segment_map'][15, 5] == 1
    assert results['segment_map'][2, 2] == 2
    assert results['segment_map'][2, 12] == 0
    results = LoadPanopticRegions(max_size=20).transform(
        results_of(path, ids, [2, 3, 1])
    )
    assert results['regions']['labels'].tolist() == [12]
    results = LoadPanopticRegions(max_regions=1).transform(
        results_of(path, ids, [2, 3, 1])
    )
    assert results['regions']['labels'].tolist() == [11]
    assert results['segment_map'].max() == 1


def test_segment_lost_by_the_resize_keeps_a_pixel(tmp_path, write_id_png):
    ids = np.zeros((64, 64), int)
    ids[:, 33] = 9
    path = tmp_path / 'p.png'
    write_id_png(path, ids)
    results = LoadPanopticRegions().transform(results_of(path, ids, [9], (16, 16)))
    assert (results['segment_map'] == 1).sum() == 1
    assert results['segment_map'][0, 8] == 1


def test_bad_png_is_named(tmp_path, write_id_png):
    path = tmp_path / 'p.png'
    ids = np.ones((10, 10), int)
    transform = LoadPanopticRegions()
    with pytest.raises(FileNotFoundError, match=r'p\.png'):
        transform.transform(results_of(path, ids, [1]))
    for content in (b'', b'no png'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r'p\.png is not a readable png'):
            transform.transform(results_of(path, ids, [1]))
    write_id_png(path, ids)
    with pytest.raises(ValueError, match=r'p\.png .* segment 4'):
        transform.transform(results_of(path, ids, [1, 4]))
    with pytest.raises(ValueError, match=r'p\.png is \(10, 10\)'):
        transform.transform(results_of(path, np.ones((10, 11), int), [1]))
