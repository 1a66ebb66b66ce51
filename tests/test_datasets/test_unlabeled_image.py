import json

import cv2
import numpy as np
import pytest

from openvocab.datasets import UnlabeledImageDataset


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'images'
    for name in ('b.JPG', 'a.png', 'sub/c.jpg'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), np.zeros((12, 20, 3), np.uint8))
    (root / 'notes.txt').write_text('no image')
    return root


def write(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def test_folder_is_searched_sorted(folder):
    dataset = UnlabeledImageDataset(data_prefix=dict(img=str(folder)))
    names = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    assert names == ['a.png', 'b.JPG', 'sub/c.jpg']


def test_json_lists_the_images(folder, tmp_path):
    images = [dict(id=3, file_name='b.JPG'), dict(id=1, file_name='sub/c.jpg')]
    ann_file = write(tmp_path / 'ann.json', dict(images=images, annotations=[]))
    dataset = UnlabeledImageDataset(ann_file, dict(img=str(folder)))
    assert [dataset.get_data_info(i)['img_id'] for i in range(2)] == [3, 1]
    assert dataset.get_data_info(1)['img_path'] == str(folder / 'sub/c.jpg')
    assert dataset.metainfo['classes'] == ()


def test_proposals_by_file_name_best_first(folder, tmp_path):
    proposals = {'a.png': [[0, 0, 5, 5, 0.1], [1, 2, 3, 4, 0.9]], 'b.JPG': []}
    path = write(tmp_path / 'p.json', proposals)
    dataset = UnlabeledImageDataset(
        data_prefix=dict(img=str(folder)), proposals_file=path
    )
    boxes = [dataset.get_data_info(i)['proposals'] for i in range(3)]
    np.testing.assert_allclose(boxes[0][:, :4], [[1, 2, 3, 4], [0, 0, 5, 5]])
    assert boxes[1].shape == boxes[2].shape == (0, 5)


def test_proposals_as_coco_results_by_id(folder, tmp_path):
    ann_file = write(
        tmp_path / 'ann.json', dict(images=[dict(id=3, file_name='a.png')])
    )
    results = [dict(image_id=3, bbox=[1, 2, 4, 3], score=0.5, category_id=1)]
    path = write(tmp_path / 'p.json', results)
    dataset = UnlabeledImageDataset(ann_file, dict(img=str(folder)), path)
    np.testing.assert_allclose(
        dataset.get_data_info(0)['proposals'], [[1, 2, 5, 5, 0.5]]
    )


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ({'zebra.png': [[0, 0, 1, 1]]}, 'no proposal for any'),
        ({'a.png': [[0, 0, 1]]}, 'holds no proposals'),
        ([dict(bbox=[0, 0, 1, 1])], 'holds no proposals'),
        ('text', 'holds no proposals'),
    ],
)
def test_bad_proposals_are_named(folder, tmp_path, content, words):
    path = write(tmp_path / 'p.json', content)
    with pytest.raises(ValueError, match=rf'p\.json .*{words}'):
        UnlabeledImageDataset(data_prefix=dict(img=str(folder)), proposals_file=path)


def test_missing_and_corrupt_sources_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        UnlabeledImageDataset(data_prefix=dict(img=str(tmp_path / 'nowhere')))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='no image found in'):
        UnlabeledImageDataset(data_prefix=dict(img=str(tmp_path / 'empty')))
    (tmp_path / 'bad.json').write_text('{')
    with pytest.raises(ValueError, match=r'bad\.json is not valid json'):
        UnlabeledImageDataset(str(tmp_path / 'bad.json'), dict(img=str(folder)))
    path = write(tmp_path / 'ann.json', dict(images=[dict(id=1)]))
    with pytest.raises(ValueError, match=r'ann\.json.*file_name'):
        UnlabeledImageDataset(path, dict(img=str(folder)))
