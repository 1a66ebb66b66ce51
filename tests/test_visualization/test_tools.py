import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.model import BaseModel

from openvocab.registry import MODELS

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'


def main_of(name):
    return runpy.run_path(str(TOOLS / f'{name}.py'))['main']


@MODELS.register_module()
class ColorRecognizer(BaseModel):
    """Its joint space is BGR / 255 and its text rows name two colours."""

    def __init__(self, patch):
        super().__init__(dict(type='mmengine.ImgDataPreprocessor'))
        self.patch = patch
        self.weight = torch.nn.Parameter(torch.ones(()))

    def set_vocabulary(self, source):
        table = dict(blue=(1.0, 0, 0), red=(0, 0, 1.0))
        self.text_bank = lambda: torch.tensor([table[name] for name in source])

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return torch.nn.functional.avg_pool2d(inputs.float(), self.patch) * self.weight


@pytest.fixture
def image(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :40, 0] = 255
    picture[:, 40:, 2] = 255
    cv2.imwrite(str(tmp_path / 'image.png'), picture)
    return str(tmp_path / 'image.png')


def write_config(path, patch=8):
    model = dict(type='openvocab.ColorRecognizer', patch=patch)
    path.write_text(f'model = {model}\n')
    return str(path)


def test_similarity_maps(tmp_path, image):
    configs = [write_config(tmp_path / 'a.py'), write_config(tmp_path / 'b.py', 16)]
    out = tmp_path / 'deep' / 'maps.png'
    arguments = [image, '--configs', *configs, '--classes', 'blue', 'red']
    main_of('similarity_maps')(
        [*arguments, '--size', '80', '--device', 'cpu', '--out', str(out)]
    )
    figure = cv2.imread(str(out))
    assert figure.shape == (28 + 2 * (160 + 4), 3 * 320 + 2 * 4, 3)
    # First row: blue is hot at the left in both encoders; second row: at the right.
    for column in (1, 2):
        for top, hot, cold in ((32, 40, 280), (196, 280, 40)):
            left = column * 324
            hot_pixel = figure[top + 80, left + hot].astype(int)
            cold_pixel = figure[top + 80, left + cold].astype(int)
            assert hot_pixel[2] - hot_pixel[0] > cold_pixel[2] - cold_pixel[0]


def test_similarity_maps_reports_bad_input(tmp_path, image):
    config = write_config(tmp_path / 'a.py')
    main = main_of('similarity_maps')
    with pytest.raises(SystemExit, match=r'nothing\.jpg: No such file'):
        main(['nothing.jpg', '--configs', config, '--classes', 'red'])
    arguments = [image, '--configs', config, '--classes', 'red']
    with pytest.raises(SystemExit, match=r'missing\.pth'):
        main([*arguments, '--checkpoints', str(tmp_path / 'missing.pth')])
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'head.weight': torch.ones(1)}), other)
    with pytest.raises(SystemExit, match=r'other\.pth does not fit .*head\.weight'):
        main([*arguments, '--checkpoints', str(other)])
    for wrong in (['--titles', 'a', 'b'], ['--out', str(tmp_path / 'maps.txt')]):
        with pytest.raises(SystemExit, match='2'):
            main([*arguments, *wrong])
    (tmp_path / 'maps.png').mkdir()
    with pytest.raises(SystemExit, match=r'maps\.png: Is a directory'):
        main([*arguments, '--size', '80', '--out', str(tmp_path / 'maps.png')])


def dataset_config(tmp_path, **loaders):
    path = tmp_path / 'config.py'
    path.write_text('\n'.join(f'{k} = {v}' for k, v in loaders.items()) + '\n')
    return str(path)


def test_browse_dataset(tmp_path, image, capsys):
    pipeline = [
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='openvocab.KeepOriginalImage'),
        dict(type='mmcv.Resize', scale=(64, 64), keep_ratio=True),
        dict(type='openvocab.GridRegions'),
        dict(type='openvocab.CropRegions', size=16),
        dict(type='mmcv.Pad', size=(64, 64)),
        dict(type='openvocab.PackRegions'),
    ]
    dataset = dict(
        type='openvocab.UnlabeledImageDataset',
        data_prefix=dict(img=str(tmp_path)),
        pipeline=pipeline,
    )
    config = dataset_config(tmp_path, train_dataloader=dict(dataset=dataset))
    out = tmp_path / 'pictures'
    main = main_of('browse_dataset')
    main([config, '--number', '3', '--width', '300', '--out', str(out)])
    assert [p.name for p in out.iterdir()] == ['000000_image.png']
    picture = cv2.imread(str(out / '000000_image.png'))
    assert picture.shape[1] == 300 and picture.shape[0] > 150
    with pytest.raises(SystemExit, match='has no val_dataloader'):
        main([config, '--split', 'val'])
    with pytest.raises(SystemExit, match='--start 9: there are 2 images'):
        main([config, '--start', '9'])


def test_browse_dataset_reports_bad_data(tmp_path):
    (tmp_path / 'ann.json').write_text(json.dumps(dict(images=[])))
    dataset = dict(
        type='openvocab.UnlabeledImageDataset',
        ann_file=str(tmp_path / 'ann.json'),
        data_prefix=dict(img=str(tmp_path)),
    )
    config = dataset_config(tmp_path, val_dataloader=dict(dataset=dataset))
    with pytest.raises(SystemExit, match=r'browse_dataset: .*ann\.json'):
        main_of('browse_dataset')([config, '--split', 'val'])
