"""A printed config can be read back."""

import runpy
from pathlib import Path

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
