"""Exports the image branch of a model, its vocabulary baked in, as a torch program.

A segmentor gives class maps of one view, a detector its feature maps, proposals and the
similarity of every token to every class, any other model the maps of its encoder. The
file runs where torch is installed, without this package:

    program = torch.export.load('model.pt2').module()
    maps = program(images)  # (B, 3, H, W) float32, RGB, 0 to 255
"""

import argparse
from functools import partial

from mmengine.logging import MMLogger
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.apis import build_model, split_names
from openvocab.deployment import (
    ProgramError,
    export_program,
    model_maps,
    save_program,
)
from openvocab.deployment.image_programs import EncoderProgram, program_of
from openvocab.engine.argument_types import (
    checkpoint_file,
    existing_file,
    positive_int,
)
from openvocab.engine.arguments import add_cfg_options, add_classes, add_device
from openvocab.engine.hooks.report_hook import describe_model
from openvocab.engine.user_errors import user_errors
from openvocab.version import __version__

_EPILOG = """\
examples:
  python tools/deployment/export_model.py configs/cat_seg/NAME.py iter_80000.pth \\
      --size 384 384 --texts 'road, sky, car' --out cat_seg.pt2
  python tools/deployment/export_model.py configs/fvit/NAME.py epoch_3.pth \\
      --size 640 640 --vocab lvis_v1 --out fvit.pt2
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', type=existing_file, help='config file (configs/<method>/*.py)')
    add(
        'checkpoint',
        nargs='?',
        type=checkpoint_file,
        help='checkpoint written by tools/train.py',
    )
    add('--out', required=True, metavar='FILE.pt2', help='the program to write')
    add(
        '--size',
        nargs=2,
        type=positive_int,
        required=True,
        metavar=('H', 'W'),
        help='image size in pixels, multiples of the patch; fixed in the program, '
        'which pads nothing',
    )
    add(
        '--batch-size',
        type=positive_int,
        default=1,
        help='images at a time (default: 1)',
    )
    add(
        '--encoder-only',
        action='store_true',
        help="only the encoder's maps, of images normalised as the encoder was trained",
    )
    add_classes(parser)
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Builds, exports, checks and writes."""
    args = parse_args(argv)
    console = Console()
    MMLogger.get_current_instance().setLevel('WARNING')
    with user_errors('export_model', ProgramError):
        with console.status('building the model'):
            model = build_model(
                args.config, args.checkpoint, args.device, args.cfg_options
            )
            if args.texts is not None:
                model.set_vocabulary(split_names(args.texts))
            elif args.vocab is not None:
                model.set_vocabulary(args.vocab)
        if args.encoder_only:
            program, reference = EncoderProgram(model.backbone), None
        else:
            program, reference = program_of(model), partial(model_maps, model)
        with console.status('exporting'):
            exported = export_program(
                program.to(args.device),
                tuple(args.size),
                args.batch_size,
                reference=reference,
            )
            save_program(exported, args.out, record(model, args))
    console.print(f'{args.out}: equal to the model, {args.size[0]} x {args.size[1]} px')


def record(model: object, args: argparse.Namespace) -> dict:
    """What the program was made from."""
    return dict(
        describe_model(model),
        classes=list(model.text_bank.vocabulary.names),
        size=args.size,
        batch_size=args.batch_size,
        config=args.config,
        openvocab=__version__,
    )


if __name__ == '__main__':
    main()
