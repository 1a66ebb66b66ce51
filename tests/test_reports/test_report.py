import io
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from openvocab.reports import (
    Report,
    library_versions,
    load_report,
    merge,
    published_metrics,
)

REGIONS = ('boxes', 'masks_t', 'masks_s', 'crops')
METRICS = dict(boxes_top1=44.26, boxes_top5=68.7, stuff_as_thing=12.0)


def text_of(report):
    console = Console(width=200, record=True, file=io.StringIO())
    report.render(console)
    return console.export_text()


def test_rows_and_meta_are_written(tmp_path):
    report = Report(meta=dict(vocabulary=dict(name='coco', hash='abc'), peak_memory=5))
    report.add_row('CLIP', METRICS)
    report.add_row(
        'DenseVLM',
        {'boxes_top1': np.float32(70.5), 'masks_s_top1': float('nan')},
        published=dict(boxes_top1=73.4),
        confusions=[('sky', 'kite', 12)],
    )
    report.write(tmp_path / 'out')
    rows = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert [row['method'] for row in rows] == ['CLIP', 'DenseVLM']
    assert rows[0]['boxes_top1'] == 44.26
    assert rows[1]['boxes_top1'] == 70.5
    assert rows[1]['masks_s_top1'] is None
    assert rows[1]['published'] == dict(boxes_top1=73.4)
    assert rows[1]['confusions'] == [['sky', 'kite', 12]]
    assert rows[1]['meta']['vocabulary']['hash'] == 'abc'
    assert 'date' in rows[1]['meta']
    markdown = (tmp_path / 'out' / 'report.md').read_text()
    assert '| CLIP | 44.3 / 68.7 |' in markdown
    assert '70.5 / - (73.4 / -)' in markdown
    assert '| sky | kite | 12 |' in markdown
    assert '- vocabulary: name coco, hash abc' in markdown
    # Nothing but the two files is left behind.
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'report.json',
        'report.md',
    ]


def test_tables_keep_their_width_where_there_is_no_terminal(capsys):
    report = Report()
    name = 'a_method_with_a_name_of_some_length_' * 4
    metrics = {f'{region}_top{k}': 10.0 for region in REGIONS for k in (1, 5)}
    report.add_row(name, metrics)
    report.render()
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if name in line]
    assert row.count('10.0/10.0') == len(REGIONS)
    narrow = Console(width=60, force_terminal=True, file=io.StringIO(), record=True)
    report.render(narrow)
    lines = narrow.export_text().splitlines()
    assert max(map(len, lines)) <= 60 and not any(name in line for line in lines)


def test_table_shows_known_columns_first_then_others():
    report = Report()
    report.add_row('x', {'mIoU': 31.4159, 'thing_as_stuff': 2, 'boxes_top1': 5})
    text = text_of(report)
    assert text.index('Boxes') < text.index('Thing as stuff') < text.index('mIoU')
    assert '31.4' in text
    assert 'Masks-T' not in text


DETECTION = dict(
    bbox_ap=30.14,
    bbox_ap50=50.4,
    bbox_ap75=31.0,
    bbox_aps=9.0,
    bbox_ap_base=33.0,
    bbox_ap_novel=20.0,
    bbox_ap50_base=54.9,
    bbox_ap50_novel=37.6,
)
LVIS = dict(segm_ap=25.2, segm_ap50=40.0, segm_apr=None, segm_apc=21.8, segm_apf=29.1)
LVIS.update(segm_ap50_base=41.0, segm_ap50_novel=None)


@pytest.mark.parametrize(
    ('metrics', 'title', 'cell'),
    [
        (DETECTION, 'Box AP50 novel/base/all', '37.6 / 54.9 / 50.4'),
        (LVIS, 'Mask APr/c/f/all', '- / 21.8 / 29.1 / 25.2'),
        (
            dict(bbox_ap=40.5, bbox_ap50=63.8, bbox_ap75=44.3, bbox_apl=60.0),
            'Box AP/50/75',
            '40.5 / 63.8 / 44.3',
        ),
        (
            dict(bbox_ap=1, bbox_ap50=2, bbox_ap50_unseen=3.0, bbox_ap50_seen=4.0),
            'Box AP50 unseen/seen/all',
            '3.0 / 4.0 / 2.0',
        ),
    ],
)
def test_detection_has_one_column(metrics, title, cell):
    report = Report()
    report.add_row('F-ViT', metrics)
    header, _, row, *_ = report.markdown().split('\n\n')[1].splitlines()
    assert header == f'| Method | {title} |'
    assert row == f'| F-ViT | {cell} |'


def test_detection_beside_other_measures(tmp_path):
    report = Report()
    report.add_row('F-ViT', DETECTION, published=dict(bbox_ap50_novel=38.0))
    report.add_row('transfer', dict(bbox_ap=40.5, bbox_ap50=63.8, bbox_ap75=44.3))
    report.add_row('regions', dict(boxes_top1=44.0, images_found=3))
    markdown = report.markdown()
    assert '| Method | Box AP50 novel/base/all |' in markdown
    assert '| F-ViT | 37.6 / 54.9 / 50.4 (38.0 / - / -) |' in markdown
    assert '| Method | Box AP/50/75 |' in markdown
    assert '| transfer | 40.5 / 63.8 / 44.3 |' in markdown
    assert '| Method | Boxes | images_found |' in markdown
    assert 'average precision' in markdown and 'mean class accuracy' in markdown
    report.write(tmp_path)
    assert load_report(tmp_path).rows[0]['bbox_ap_novel'] == 20
    assert '37.6/54.9/50.4' in text_of(report)


def test_repeated_methods_become_mean_and_std(tmp_path):
    for seed, value in enumerate((10.0, 12.0, 14.0)):
        report = Report()
        report.add_row('CLIP', dict(boxes_top1=50))
        report.add_row('DenseVLM', dict(boxes_top1=value, boxes_top5=80.0))
        report.write(tmp_path / str(seed))
    merged = merge([tmp_path / '0', tmp_path / '1' / 'report.json', tmp_path / '2'])
    assert len(merged.rows) == 6
    clip, densevlm = merged.summary()
    assert (clip['boxes_top1'], clip['std']['boxes_top1']) == (50, 0)
    assert densevlm['boxes_top1'] == 12
    assert densevlm['std']['boxes_top1'] == pytest.approx(2)
    assert densevlm['runs'] == 3
    text = text_of(merged)
    assert '12.0±2.0' in text and '80.0±0.0' in text
    assert '12.0±2.0 / 80.0±0.0' in merged.markdown()


def test_one_run_has_no_std():
    report = Report()
    report.add_row('CLIP', METRICS)
    assert '±' not in text_of(report)


def test_a_metric_cannot_take_a_reserved_name():
    with pytest.raises(ValueError, match='method'):
        Report().add_row('x', dict(method=1))


def test_bad_reports_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nothing/report\.json|nothing'):
        load_report(tmp_path / 'nothing')
    path = tmp_path / 'report.json'
    path.write_text('[')
    with pytest.raises(ValueError, match=r'report\.json is not valid json'):
        load_report(path)
    path.write_text('{"a": 1}')
    with pytest.raises(ValueError, match=r'report\.json is not a report'):
        load_report(tmp_path)
    for wrong, told in (
        ('"meta": 3', "'meta' of 'a' is 3, dict or NoneType expected"),
        ('"boxes_top1": "high"', "'boxes_top1' of 'a' is 'high', int or float"),
        ('"published": [1]', "'published' of 'a'"),
    ):
        path.write_text(f'[{{"method": "a", {wrong}}}]')
        with pytest.raises(ValueError, match=rf'report\.json: {told}'):
            load_report(path)
    path.write_text('[{"method": "a", "miou": null, "meta": null}]')
    assert load_report(path).rows[0]['miou'] is None


def test_library_versions():
    versions = library_versions()
    assert {'openvocab', 'python', 'torch', 'numpy'} <= set(versions)
    assert any(name.endswith('mmengine') for name in versions)


METAFILE = """
Models:
  - Name: other
    Config: configs/x/other.py
    Results: [{Task: T, Dataset: COCO, Metrics: {boxes_top1: 1}}]
  - Name: mine
    Config: configs/x/mine.py
    Results:
      - {Task: T, Dataset: COCO, Metrics: {boxes_top1: 73.4, note: text}}
      - {Task: T, Dataset: ADE, Metrics: {boxes_top1: 51.3}}
"""


def test_published_figures_by_config_file_name(tmp_path):
    config = tmp_path / 'mine.py'
    assert published_metrics(config) is None
    (tmp_path / 'metafile.yml').write_text(METAFILE)
    assert published_metrics(config) == dict(boxes_top1=73.4)
    assert published_metrics(config, 'ADE') == dict(boxes_top1=51.3)
    assert published_metrics(config, 'VOC') is None
    assert published_metrics(tmp_path / 'unknown.py') is None


@pytest.mark.parametrize('text', ['Models: [', 'Models: [{Name: x}]', '- 1'])
def test_bad_metafile_is_named(tmp_path, text):
    (tmp_path / 'metafile.yml').write_text(text)
    with pytest.raises(ValueError, match=r'metafile\.yml'):
        published_metrics(tmp_path / 'mine.py')


def test_merge_tool(tmp_path, capsys):
    report = Report()
    report.add_row('CLIP', METRICS)
    report.write(tmp_path / 'a')
    tool = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'merge_reports.py'
    main = runpy.run_path(str(tool))['main']
    folder = str(tmp_path / 'a')
    main([folder, folder, '--out', str(tmp_path / 'b')])
    assert 'CLIP (2 runs)' in capsys.readouterr().out
    assert len(load_report(tmp_path / 'b').rows) == 2
    assert sorted(p.name for p in (tmp_path / 'b').iterdir()) == [
        'comparison.html',
        'comparison.md',
        'report.json',
    ]
    with pytest.raises(SystemExit, match='report not found'):
        main([str(tmp_path / 'missing')])


def test_rows_without_a_common_column_get_their_own_table():
    report = Report()
    report.add_row('CLIP', dict(boxes_top1=10.0))
    report.add_row('detector', dict(bbox_ap50_novel=5.0, bbox_ap50=7.0))
    report.add_row('DenseVLM', dict(boxes_top1=20.0, stuff_as_thing=1.0))
    report.add_row('both', dict(stuff_as_thing=2.0, crops_top1=3.0))
    first, second = report.markdown().split('## ')[0].split('| Method')[1:]
    assert [word in first for word in ('CLIP', 'DenseVLM', 'both', 'detector')] == [
        True, True, True, False]  # fmt: skip
    assert 'detector' in second and 'AP50' in second and 'AP50' not in first
    assert len(report.tables().renderables) == 2
