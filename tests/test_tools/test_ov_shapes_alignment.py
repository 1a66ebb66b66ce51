"""The science on OV-Shapes, through the tools: a short alignment must help."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.token_relations import TokenRelations
from openvocab.datasets.ov_shapes.writer import write_ov_shapes

CLIP = 'configs/clip/clip_ov-shapes-u_ov-shapes.py'
DENSEVLM = 'configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py'
DECLIP = 'configs/declip/declip_ov-shapes-u_1xb8-1e_ov-shapes.py'
# how DeCLIP's students are read out
CONTENT = ['model.backbone.type=openvocab.DeCLIP', 'model.backbone.readout=None']


def run(root: Path, tool: str, *arguments: str, options: list[str]) -> None:
    command = [sys.executable, f'tools/{tool}.py', *arguments]
    subprocess.run(
        [*command, '--cfg-options', *options],
        cwd=root, check=True, capture_output=True, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope='module', autouse=True)
def _our_package(repo_root):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', str(repo_root))
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('ov_shapes')
    write_ov_shapes(folder, {'train': 1200, 'val': 80})
    return folder


@pytest.fixture(scope='module')
def evaluate(repo_root, data, tmp_path_factory):
    """Metrics of the regions, read out as options of the config say."""

    def evaluate(*options: str) -> dict[str, float]:
        folder = tmp_path_factory.mktemp('report')
        options = [f'test_dataloader.dataset.data_root={data}', *options]
        run(repo_root, 'test', CLIP, '--work-dir', str(folder), options=options)
        return json.loads((folder / 'report.json').read_text())[0]

    return evaluate


@pytest.fixture(scope='module')
def plain(evaluate) -> dict[str, float]:
    """The encoder before any alignment."""
    return evaluate()


@pytest.fixture(scope='module')
def align(repo_root, data, tmp_path_factory):
    """The encoder file that a config leaves; each is trained once."""

    @functools.cache
    def align(config: str) -> Path:
        folder = tmp_path_factory.mktemp('aligned')
        run(
            repo_root, 'train', config, '--work-dir', str(folder), '--no-validate',
            options=[f'train_dataloader.dataset.data_root={data}'],
        )  # fmt: skip
        return folder / 'encoder.safetensors'

    return align


@pytest.mark.slow
def test_crops_are_recognized_and_boxes_of_the_map_are_not(plain):
    assert plain['crops_top1'] > 60
    assert plain['boxes_top1'] < plain['crops_top1'] - 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ('config', 'readout', 'least'),
    [(DENSEVLM, [], 3), (DECLIP, CONTENT, 2)],
    ids=['densevlm', 'declip'],
)
def test_alignment_helps_regions_and_cures_both_biases(
    plain, align, evaluate, config, readout, least
):
    aligned = evaluate(
        *readout,
        'model.backbone.init_cfg.type=Pretrained',
        f'model.backbone.init_cfg.checkpoint={align(config)}',
    )
    assert aligned['masks_s_top1'] > plain['masks_s_top1'] + 15
    assert aligned['masks_t_top1'] > plain['masks_t_top1'] + least
    assert aligned['boxes_top1'] > plain['boxes_top1'] + least
    assert aligned['stuff_as_thing'] < plain['stuff_as_thing']
    assert aligned['thing_as_stuff'] < plain['thing_as_stuff']


@pytest.mark.slow
def test_declip_follows_the_vfm(repo_root, data, align):
    """Fails with a VFM of random weights: its student is as far from ours as before."""
    relations = TokenRelations(repo_root, data)
    before, after = relations.compare(None), relations.compare(align(DECLIP))
    assert after['distance'] < before['distance'] * 0.6
    assert after['within'] > before['within'] + 0.1
    assert after['across'] < before['across'] - 0.1
