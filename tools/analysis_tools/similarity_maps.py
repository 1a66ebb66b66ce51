"""Shows where several encoders see given classes in an image, side by side."""

import argparse
from pathlib import Path

from mmengine.logging import MMLogger
from rich.console import Console

import openvocab  # noqa: F401
from openvocab.apis import build_model
from openvocab.apis.images import read_image
from openvocab.engine.arguments import add_figure, check_one_per_config
from openvocab.engine.user_errors import user_errors
from openvocab.visualization import model_similarity, similarity_figure, write_picture


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Draw the cosine similarity of class names to every place of an '
        "image: one row per class, one column per encoder (the DenseVLM paper's "
        'Figure 5).',
        epilog='example: similarity_maps.py IMAGE --configs clip.py densevlm.py '
        "--classes sky sofa 'potted plant' --out maps.png",
    )
    parser.add_argument('image', help='path of an image')
    parser.add_argument(
        '--configs',
        nargs='+',
        required=True,
        help='configs whose model is a RegionRecognizer or an aligner',
    )
    parser.add_argument(
        '--checkpoints',
        nargs='+',
        help="one per config, '-' for the weights that the config itself names",
    )
    parser.add_argument(
        '--titles', nargs='+', help='one per config (default: its file name)'
    )
    parser.add_argument('--classes', nargs='+', required=True, help='class names')
    add_figure(parser, 'similarity_maps', size=512)
    args = parser.parse_args(argv)
    check_one_per_config(parser, args, 'checkpoints', 'titles')
    return args


def main(argv: list[str] | None = None) -> None:
    """Runs every encoder and writes the figure."""
    args = parse_args(argv)
    # init_weights would list every parameter on the console.
    MMLogger.get_current_instance().setLevel('WARNING')
    checkpoints = args.checkpoints or ['-'] * len(args.configs)
    titles = args.titles or [Path(config).stem for config in args.configs]
    with user_errors('similarity_maps'):
        image = read_image(Path(args.image))
        maps = []
        for config, checkpoint in zip(args.configs, checkpoints, strict=True):
            weights = None if checkpoint == '-' else checkpoint
            model = build_model(config, weights, args.device)
            model.set_vocabulary(args.classes)
            maps.append(model_similarity(model, image, args.size))
        figure = similarity_figure(image, args.classes, titles, maps)
        write_picture(args.out, figure)
    Console().print(f'written to {args.out}', highlight=False)


if __name__ == '__main__':
    main()
