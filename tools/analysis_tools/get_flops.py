"""Counts the floating-point operations of a config's prediction on one image.

Per part (encoder, neck, heads ...), and what the vocabulary costs once. Needs neither
weights nor data. A multiplication and an addition are two; elementwise operations,
RoIAlign and NMS do not count. What a detector does per proposal depends on how many
there are: with random weights about as many as its config allows.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from mmengine.config import ConfigDict
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.analysis.flops import count_flops, text_flops
from openvocab.engine import launch
from openvocab.engine.argument_types import existing_file, positive_int
from openvocab.engine.arguments import add_cfg_options
from openvocab.engine.user_errors import user_errors


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: get_flops.py configs/fvit/NAME.py --shape 640 640 '
        '--classes 1203',
    )
    add = parser.add_argument
    add('config', type=existing_file, help='config file (configs/<method>/*.py)')
    add(
        '--shape',
        nargs=2,
        type=positive_int,
        default=(640, 640),
        metavar=('H', 'W'),
        help='image size in pixels, before the model resizes it (default: 640 640)',
    )
    add(
        '--classes',
        type=positive_int,
        metavar='K',
        help="number of classes (default: those of the config's vocabulary)",
    )
    add_cfg_options(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Builds the model with random weights, predicts once and counts."""
    args = build_parser().parse_args(argv)
    console = Console()
    MMLogger.get_current_instance().setLevel('WARNING')
    with user_errors('get_flops'):
        cfg = launch.read_config(args.config, args.cfg_options)
        if 'text_bank' not in (cfg.get('model') or {}):
            raise ValueError(f'{args.config}: its model predicts nothing')
        with console.status('counting'):
            image, text, classes = count(cfg, tuple(args.shape), args.classes)
    console.print(f'{Path(args.config).stem}, {args.shape[0]} x {args.shape[1]} px')
    console.print(flop_table(image, text, classes))


def count(
    cfg: ConfigDict, shape: tuple[int, int], classes: int | None
) -> tuple[dict[str, int], int, int]:
    """Operations of the parts for an image, of the text, and the number of classes."""
    from openvocab.analysis.synthetic_classes import use_synthetic_text
    from openvocab.registry import MODELS
    from openvocab.testing import without_weights
    from openvocab.testing.prediction import predict_random_image

    model_cfg = without_weights(cfg.model)
    bank_cfg = model_cfg.text_bank
    if classes is not None:
        bank_cfg.vocabulary = [f'class {number}' for number in range(classes)]
    encoder_cfg = bank_cfg.get('encoder') or dict(arch=model_cfg.backbone.arch)
    init_default_scope(cfg.default_scope)
    with tempfile.TemporaryDirectory() as folder:
        use_synthetic_text(model_cfg, Path(folder))
        model = MODELS.build(model_cfg).eval().requires_grad_(False)
    bank = model.text_bank
    encoder = MODELS.build({'type': 'openvocab.TextEncoder', **encoder_cfg})
    sentences = bank.prompts.format(bank.vocabulary.names[0])
    text = text_flops(encoder, sentences) * len(bank)
    with torch.no_grad():
        bank()  # a tower that trains encodes when it is first asked
        image = count_flops(model, lambda: predict_random_image(model, shape))
    return image, text, len(bank)


def flop_table(image: dict[str, int], text: int, classes: int) -> Table:
    """The counts in billions."""
    table = Table()
    table.add_column('part')
    table.add_column('GFLOP', justify='right')
    table.add_column('share', justify='right')
    total = sum(image.values())
    for name, number in image.items():
        table.add_row(name, f'{number / 1e9:,.2f}', f'{100 * number / total:.1f} %')
    table.add_section()
    table.add_row('an image', f'{total / 1e9:,.2f}', '')
    table.add_row(f'text, once for {classes} classes', f'{text / 1e9:,.2f}', '')
    return table


if __name__ == '__main__':
    main()
