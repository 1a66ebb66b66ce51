import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openvocab.datasets.label_image import write_label_image

TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/label_statistics.py'


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'img').mkdir()
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / 'img/a.jpg')
    write_label_image(tmp_path / 'ann/a.png', np.array([[0, 1, 1], [1, 0, 255]], 'u1'))
    dataset = dict(
        type='openvocab.OVSegDataset',
        vocabulary=['cat', 'dog', 'cow'],
        data_root=str(tmp_path),
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        pipeline=[dict(type='PackSegInputs')],
        _scope_='mmseg',
    )
    path = tmp_path / 'config.py'
    path.write_text(f'test_dataloader = dict(dataset={dataset})\n')
    return path


def run(*arguments):
    runpy.run_path(str(TOOL))['main'](list(map(str, arguments)))


def test_counts(config, capsys):
    run(config, '--classes')
    printed = capsys.readouterr().out
    assert '2 of 3' in printed and '16.7 %' in printed and 'cow' in printed


def test_faults_are_named(config, tmp_path):
    with pytest.raises(SystemExit, match='has no train_dataloader'):
        run(config, '--split', 'train')
    write_label_image(tmp_path / 'ann/a.png', np.full((2, 3), 7, np.uint8))
    with pytest.raises(SystemExit, match=r'a\.png: value 7'):
        run(config)
    for content in (b'', b'no image'):
        (tmp_path / 'img/a.jpg').write_bytes(content)
        with pytest.raises(SystemExit, match=r'a\.jpg is not a readable image'):
            run(config)


def test_a_data_set_without_label_maps_is_named(config, tmp_path):
    dataset = dict(
        type='openvocab.UnlabeledImageDataset', data_prefix=dict(img=str(tmp_path))
    )
    Image.new('RGB', (2, 2)).save(tmp_path / 'a.jpg')
    config.write_text(f'test_dataloader = dict(dataset={dataset})\n')
    with pytest.raises(SystemExit, match='UnlabeledImageDataset has no label maps'):
        run(config)
