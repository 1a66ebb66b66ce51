"""A printed config can be read back."""

import runpy
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parents[2]


def test_what_is_printed_is_the_config(tmp_path, capsys):
    main = runpy.run_path(str(ROOT / 'tools/misc/print_config.py'))['main']
    leaf = ROOT / 'configs/cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes.py'
    main([str(leaf), '--cfg-options', 'train_dataloader.batch_size=7'])
    (tmp_path / 'printed.py').write_text(capsys.readouterr().out)
    printed, expected = Config.fromfile(tmp_path / 'printed.py'), Config.fromfile(leaf)
    assert printed.train_dataloader.batch_size == 7
    expected.train_dataloader.batch_size = 7
    assert printed.to_dict() == expected.to_dict()


@pytest.mark.parametrize(
    ('text', 'options', 'message'),
    [
        ("_base_ = './gone.py'", [], r'gone\.py: No such file'),
        ('a = dict(', [], r'config\.py, or what it inherits'),
        ('a = 1', ['--cfg-options', 'a.b=1'], '--cfg-options: '),
    ],
)
def test_a_config_that_cannot_be_read_is_one_line(tmp_path, text, options, message):
    main = runpy.run_path(str(ROOT / 'tools/misc/print_config.py'))['main']
    (tmp_path / 'config.py').write_text(text)
    with pytest.raises(SystemExit, match=f'^print_config: .*{message}'):
        main([str(tmp_path / 'config.py'), *options])
