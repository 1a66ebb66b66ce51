from pathlib import Path

import pytest

from helpers.tiny_zoo import model, result, runs
from openvocab.zoo import ModelIndex, fill_blocks


def filled(zoo, kind, *models, folder='configs/alpha'):
    zoo.write(*models)
    page = f'# Page\n\n<!-- begin {kind} -->\nold\n<!-- end {kind.split()[0]} -->\n'
    text = fill_blocks(page, ModelIndex.load(zoo.root), Path(folder))
    assert text.startswith('# Page\n\n<!-- begin') and 'old' not in text
    assert fill_blocks(text, ModelIndex.load(zoo.root), Path(folder)) == text
    return text.split('-->\n', 1)[1].rsplit('\n<!--', 1)[0]


def metadata(**changes):
    entry = model('alpha_vit_coco')['Metadata']
    return {**entry, **{k.replace('_', ' '): v for k, v in changes.items()}}


def test_data_sets_of_one_metric_are_columns(zoo):
    table = filled(
        zoo,
        'published',
        model('alpha_vit_a150', Results=[result('A-150', miou=31.0)]),
        model(
            'alpha_vit_pc59',
            Results=[
                result('PC-59', miou=57.25, miou_union=50.5),
                result('PC-59', miou=1.5, more={'Label': 'a | b'}),
            ],
        ),
        model('alpha_eva_coco', Metadata=metadata(Encoder='EVA')),
    )
    assert table == (
        'Semantic Segmentation, mIoU, %:\n\n'
        '| encoder | A-150 | PC-59 | PC-59, mIoU (union) |\n'
        '| --- | --- | --- | --- |\n'
        '| ViT | 31.0 | 57.25 | 50.5 |\n'
        '| a \\| b | | 1.5 | |'
    )


def test_data_sets_of_several_metrics_are_tables(zoo):
    def regions(dataset, **metrics):
        return result(dataset, task='Region Recognition', **metrics)

    table = filled(
        zoo,
        'published',
        model(
            'alpha_vit_coco',
            Results=[
                regions('COCO', boxes_top1=1.0, boxes_top5=2.0, masks_s_top1=3.0),
                regions('ADE20K', boxes_top1=4.0, masks_s_top1=5.0),
            ],
        ),
        model(
            'alpha_cnn_coco',
            Metadata=metadata(Encoder='CNN', Training_Data='LVIS'),
            Results=[regions('COCO', boxes_top1=6.0)],
        ),
    )
    assert table == (
        'Region Recognition on COCO, %:\n\n'
        '| encoder | trained on | Boxes | Masks-S |\n'
        '| --- | --- | --- | --- |\n'
        '| ViT | COCO | 1.0 / 2.0 | 3.0 |\n'
        '| CNN | LVIS | 6.0 | |\n\n'
        'Region Recognition on ADE20K, %:\n\n'
        '| encoder | Boxes | Masks-S |\n'
        '| --- | --- | --- |\n'
        '| ViT | 4.0 | 5.0 |'
    )


def test_rows_without_a_common_column_are_apart(zoo):
    table = filled(
        zoo,
        'published',
        model('alpha_vit_lvis', Results=[result('LVIS', segm_apr=1.0, segm_ap=2.0)]),
        model('alpha_cnn_coco', Metadata=metadata(Encoder='CNN'),
              Results=[result('COCO', bbox_ap50_novel=3.0, bbox_ap50=4.0)]),
    )  # fmt: skip
    assert table == (
        'Semantic Segmentation on LVIS, %:\n\n'
        '| encoder | Mask APr/c/f/all |\n| --- | --- |\n| ViT | 1.0 / - / - / 2.0 |\n\n'
        'Semantic Segmentation on COCO, %:\n\n'
        '| encoder | Box AP50 novel/base/all |\n| --- | --- |\n| CNN | 3.0 / - / 4.0 |'
    )


def test_measured_figures_have_seeds_spread_and_commands(zoo):
    entry = model(
        'alpha_vit_coco',
        Results=[result('A-150', miou=99.0)],
        Measured=[
            result('A-150', miou=31.04, more=runs(0, 1, 2, miou=0.26)),
            result('A-150', miou=12.0, more={'Label': 'B', **runs(0)}),
        ],
    )
    assert filled(zoo, 'measured', entry) == (
        'Semantic Segmentation on A-150, %:\n\n'
        '| encoder | mIoU | seeds |\n| --- | --- | --- |\n'
        '| ViT | 31.0±0.3 | 3 |\n| B | 12.0 | 1 |\n\n'
        '```shell\npython run.py\n```'
    )
    assert filled(zoo, 'published', entry).endswith('| ViT | 99.0 |')


def test_methods_side_by_side(zoo):
    measured = [result('A-150', miou=1.0, more=runs(0))]
    table = filled(
        zoo,
        'measured alpha beta',
        model('alpha_vit_coco', Measured=measured),
        model('beta_vit_coco', Measured=measured),
    )
    assert '| Alpha, ViT | 1.0 | 1 |\n| Beta, ViT | 1.0 | 1 |' in table


def test_commands_stand_on_the_page_of_the_method(zoo):
    entry = model('alpha_vit_coco', Measured=[result('A-150', miou=1.0, more=runs(0))])
    assert '```shell' in filled(zoo, 'measured alpha', entry)
    elsewhere = filled(zoo, 'measured alpha', entry, folder='.')
    assert '| ViT | 1.0 | 1 |' in elsewhere and '```shell' not in elsewhere


def test_nothing_measured(zoo):
    assert filled(zoo, 'measured', model('alpha_vit_coco')) == 'Nothing yet.'


def test_configs_are_links(zoo):
    weights = 'https://host/a.pth#sha256=' + 'ab' * 32
    table = filled(
        zoo,
        'configs alpha beta',
        model('alpha_vit_8xb2-1e_coco', Weights=weights),
        model('alpha_vit_a150'),
        model('beta_vit_coco', Metadata=metadata(Variant='small')),
    )
    assert table == (
        '| encoder | trained on | configs | weights |\n| --- | --- | --- | --- |\n'
        '| Alpha, ViT | COCO | [8xb2-1e_coco](alpha_vit_8xb2-1e_coco.py) '
        '[a150](alpha_vit_a150.py) | [abababab](https://host/a.pth) - |\n'
        '| Beta, ViT, small | COCO | [coco](../beta/beta_vit_coco.py) | - |'
    )


@pytest.mark.parametrize(
    'folder, way', [('.', 'configs/alpha/'), ('configs', 'alpha/')]
)
def test_links_start_at_the_page(zoo, folder, way):
    table = filled(zoo, 'configs alpha', model('alpha_vit_coco'), folder=folder)
    assert table.endswith(f'| ViT | COCO | [coco]({way}alpha_vit_coco.py) |')


@pytest.mark.parametrize(
    'page, message',
    [
        ('<!-- begin configs -->\n', 'has no partner'),
        ('<!-- begin configs -->\n<!-- end published -->\n', 'has no partner'),
        ('<!-- begin prices -->\n<!-- end prices -->\n', 'begin prices: not one of'),
        ('<!-- begin configs zeta -->\n<!-- end configs -->\n', 'in configs/zeta'),
    ],
)
def test_bad_marks(zoo, page, message):
    zoo.write(model('alpha_vit_coco'))
    with pytest.raises(ValueError, match=message):
        fill_blocks(page, ModelIndex.load(zoo.root), Path('configs/alpha'))


def test_marks_within_a_line_are_words(zoo):
    zoo.write(model('alpha_vit_coco'))
    page = 'Write `<!-- begin configs -->` first.\n'
    assert fill_blocks(page, ModelIndex.load(zoo.root), Path('configs/alpha')) == page
