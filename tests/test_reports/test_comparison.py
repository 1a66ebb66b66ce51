"""Comparisons: what is put beside what, and the page about it."""

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from openvocab.reports import Comparison, Report, load_report
from openvocab.reports.columns import columns_of, metric_title, plotted_of
from openvocab.reports.plot import bar_plot
from openvocab.reports.rows import benchmark_of, label_of

SVG = '{http://www.w3.org/2000/svg}'


def add(report, method, benchmark, published=None, config=None, **metrics):
    row = report.add_row(method, metrics, published and dict(miou=published))
    row['meta'].update(benchmark=benchmark, config=config)


@pytest.fixture
def report():
    """Two segmentors on two benchmarks, one of them twice; a detector."""
    report = Report(meta=dict(weights=dict(encoder='0123')))
    add(report, 'SAN', 'a150', 27.0, miou=26.0)
    add(report, 'SAN', 'pc59', 54.0, miou=50.0, pacc=70.0)
    add(report, 'CAT <Seg>', 'a150', miou=30.0)
    add(report, 'CAT <Seg>', 'a150', miou=32.0)
    add(report, 'F-ViT', 'ov_coco', bbox_ap50_novel=38.0, bbox_ap50=50.0)
    return report


def test_sections_are_per_task_and_benchmark(report):
    add(report, 'F-ViT', 'a150', bbox_ap=9.0, bbox_ap75=8.0)
    sections = Comparison(report).sections()
    assert [(s.task, s.benchmark) for s in sections] == [
        ('Semantic Segmentation', 'a150'),
        ('Semantic Segmentation', 'pc59'),
        ('Object Detection', 'a150'),
        ('Object Detection', 'ov_coco'),
    ]
    san, cat_seg = sections[0].rows
    assert (san['method'], san['miou']) == ('SAN', 26.0)
    assert (cat_seg['runs'], cat_seg['miou']) == (2, 31.0)
    assert cat_seg['std']['miou'] == pytest.approx(2**0.5)
    assert sections[2].headline == ('bbox_ap', 'Box AP')
    assert sections[3].headline == ('bbox_ap50_novel', 'Box AP50 novel')


def test_the_mean_needs_every_benchmark(report):
    ((title, (san, cat_seg)),) = Comparison(report).overviews()
    assert title == 'Semantic Segmentation, mIoU'
    assert [san[name] for name in ('a150', 'pc59', 'mean')] == [26.0, 50.0, 38.0]
    assert san['published'] == dict(a150=27.0, pc59=54.0, mean=40.5)
    assert cat_seg['a150'] == 31.0 and 'mean' not in cat_seg
    add(report, 'CAT <Seg>', 'pc59', miou=60.0)
    ((_, (_, cat_seg)),) = Comparison(report).overviews()
    assert cat_seg['mean'] == 45.5 and 'mean' not in cat_seg['published']


def test_different_headlines_have_no_mean(report):
    add(report, 'F-ViT', 'ov_lvis', segm_apr=24.0, segm_ap=30.0)
    add(report, 'F-ViT', 'coco', bbox_ap=40.0, bbox_ap75=41.0)
    titles = [title for title, _ in Comparison(report).overviews()]
    assert titles == ['Semantic Segmentation, mIoU', 'Object Detection']
    (row,) = Comparison(report).overviews()[1][1]
    assert row['ov_coco, Box AP50 novel'] == 38.0 and row['coco, Box AP'] == 40.0
    assert 'mean' not in row


def test_benchmark_and_method_follow_from_the_config_where_nobody_says():
    row = dict(method='san_vit-b16_8xb4-60k_coco-stuff')
    assert benchmark_of(row) is None and label_of(row) == row['method']
    row['meta'] = dict(config=f'configs/san/{row["method"]}.py')
    assert benchmark_of(row) == 'coco_stuff'
    assert label_of(row) == 'san_vit-b16_8xb4-60k'
    named = dict(row, method='SAN', meta=dict(row['meta'], benchmark='pc59'))
    assert benchmark_of(named) == 'pc59' and label_of(named) == 'SAN'


@pytest.mark.parametrize(
    ('metrics', 'titles'),
    [
        (
            dict(bbox_ap50_novel=1.0, bbox_ap50_base=2.0, bbox_ap50=3.0, bbox_aps=4.0),
            ['Box AP50 novel', 'Box AP50 base', 'Box AP50 all'],
        ),
        (dict(segm_apr=1.0, segm_ap=2.0), ['Mask APr', 'Mask AP']),
        (
            dict(bbox_ap=1.0, bbox_ap50=2.0, bbox_ap75=3.0),
            ['Box AP', 'Box AP50', 'Box AP75'],
        ),
        (dict(boxes_top1=1.0, boxes_top5=2.0, found=3.0), ['Boxes top-1']),
        (dict(miou=1.0, miou_union=2.0, pacc=3.0), ['mIoU']),
        (dict(pacc=3.0), ['Pixel acc.']),
        (dict(found=3.0), ['found']),
    ],
)
def test_what_is_plotted_and_its_title(metrics, titles):
    assert [metric_title(m, c) for m, c in plotted_of([metrics])] == titles
    for column in columns_of([metrics]):  # every metric has a title of its own
        assert len({metric_title(m, column) for m in column.metrics}) == len(
            column.metrics
        )


def test_bars_end_where_the_scale_says():
    rows = [
        dict(method='A', miou=20.0, published=dict(miou=40.0)),
        dict(method='B <&>', miou=40.0, std=dict(miou=0.0)),
        dict(method='C'),
    ]
    svg = ElementTree.fromstring(bar_plot(rows, 'mIoU & more'))
    first, second = svg.iter(f'{SVG}rect')
    width = float(second.get('width'))
    assert float(first.get('width')) == pytest.approx(width / 2, abs=0.1)
    (marker,) = [p for p in svg.iter(f'{SVG}path') if p.get('class') == 'published']
    at = float(marker.get('d')[1:].split()[0])
    assert at == pytest.approx(float(first.get('x')) + width, abs=0.1)
    ticks = [t.text for t in svg.iter(f'{SVG}text') if t.get('class') == 'tick']
    assert ticks == ['0', '10', '20', '30', '40']
    values = [t.text for t in svg.iter(f'{SVG}text') if t.get('class') == 'value']
    assert values == ['20.0', '40.0±0.0', '-']
    titles = [title.text for title in svg.iter(f'{SVG}title')]
    assert 'A, mIoU: 20.0, published 40.0' in titles and 'B <&>' in titles


@pytest.mark.parametrize('value', [0.0, 0.004, 7.3, 2500.0])
def test_any_scale_is_drawn(value):
    rows = [dict(method=letter * 80, total=value) for letter in 'ab']
    svg = ElementTree.fromstring(bar_plot(rows, 'total'))
    assert len(list(svg.iter(f'{SVG}rect'))) == 2
    assert bar_plot([dict(method='nothing')], '') == ''


class Page(HTMLParser):
    """Collects the elements, and what they would load."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.addresses, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag not in ('meta', 'br') and not self.get_starttag_text().endswith('/>'):
            self.open.append(tag)
        self.addresses += [v for k, v in attrs if k in ('src', 'href', 'action')]

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_stands_alone(report, tmp_path):
    comparison = Comparison(report, ['SAN on voc21: exit code 1, <oops>'])
    comparison.write(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'comparison.html',
        'comparison.md',
        'report.json',
    ]
    assert load_report(tmp_path).rows == report.rows
    text = (tmp_path / 'comparison.html').read_text()
    page = Page()
    page.feed(text)
    assert not page.open and not page.addresses and 'url(' not in text
    assert not {'script', 'link', 'img', 'iframe'} & set(page.elements)
    assert page.elements.count('svg') == 3 and page.elements.count('table') == 4
    assert page.elements.count('details') == 5
    words = ' '.join(page.words)
    for said in ('CAT <Seg> (2 runs)', '<oops>', '0123', '27.0', 'published'):
        assert said in words
    markdown = (tmp_path / 'comparison.md').read_text()
    assert '| SAN | 26.0 (27.0) | 50.0 (54.0) | 38.0 (40.5) |' in markdown
    assert '- SAN on voc21: exit code 1' in markdown
