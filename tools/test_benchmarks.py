"""Evaluates a model without training on several benchmarks, one after the other.

Each benchmark gets a folder with the report of tools/test.py; the last table has a row
per benchmark and, where there are several, their mean.
"""

import argparse
from pathlib import Path
from statistics import fmean

from mmengine.dist import is_main_process
from mmengine.runner import Runner

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.benchmarks import benchmark_names, select_benchmark
from openvocab.evaluation.published import published_metrics
from openvocab.evaluation.report import Report


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: test_benchmarks.py configs/training_free/'
        'training_free_vit-b16-openai-sclip_voc21.py --benchmarks pc59 a150',
    )
    parser.add_argument(
        'config', type=launch.existing_file, help='config with a table `benchmarks`'
    )
    parser.add_argument(
        '--benchmarks',
        nargs='+',
        metavar='NAME',
        help='which ones (default: all of the config)',
    )
    launch.add_common_arguments(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Tests on every benchmark and writes the joint report."""
    parser = build_parser()
    args = parser.parse_args(argv)
    options, args.cfg_options = args.cfg_options or {}, None
    cfg = launch.load_config(args)
    root, report = Path(cfg.work_dir), Report()
    names = args.benchmarks or benchmark_names(cfg)
    try:
        for name in names:  # before hours are spent on the first
            select_benchmark(launch.load_config(args), name)
    except ValueError as error:
        parser.error(str(error))
    for name in names:
        cfg = launch.load_config(args)
        select_benchmark(cfg, name)
        cfg.merge_from_dict(options)
        cfg.work_dir = str(root / name)
        cfg.experiment_name = f'{Path(args.config).stem}-{name}'
        launch.ensure_report(cfg, method=name)
        for hook in (*cfg.default_hooks.values(), *(cfg.get('custom_hooks') or [])):
            if hook and hook.get('type') == 'openvocab.ReportHook':
                hook.published_dataset = name
        runner = Runner.from_cfg(cfg)
        # as tools/test.py does: frozen encoders are in no checkpoint
        runner._init_model_weights()
        metrics = runner.test()
        report.add_row(name, metrics, published_metrics(args.config, name))
    if is_main_process():
        add_mean(report)
        report.write(root)
        report.render()


def add_mean(report: Report) -> None:
    """Adds a row with the mean mIoU over all rows, if there are several."""
    rows = report.rows
    if len(rows) < 2:
        return
    figures = [row.get('published', {}).get('miou') for row in rows]
    published = None if None in figures else dict(miou=fmean(figures))
    mean = {key: fmean(row[key] for row in rows) for key in ('miou', 'miou_union')}
    report.add_row(f'mean of {len(rows)}', mean, published)


if __name__ == '__main__':
    main()
