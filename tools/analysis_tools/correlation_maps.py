"""Shows which places of an image encoders relate to chosen ones, side by side."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, init_default_scope
from rich.console import Console
from torch import Tensor, nn

import openvocab  # noqa: F401
from openvocab.apis.images import read_image
from openvocab.engine.arguments import add_figure, check_one_per_config
from openvocab.engine.safe_loading import refuse_code_in_checkpoints
from openvocab.engine.user_errors import user_errors
from openvocab.visualization import write_picture
from openvocab.visualization.correlation import (
    Anchor,
    Row,
    attention_map,
    block_maps,
    correlation_figure,
    correlation_map,
    encoder_input,
)

Maps = dict[str, list]
"""What was computed: title of the encoder -> per anchor a map, or one per block."""


def feature_map(encoder: nn.Module, images: Tensor, anchor: Anchor) -> Tensor:
    """Cosines of the dense map of an encoder or a VFM."""
    with torch.no_grad():
        found = encoder(images)
    # a backbone returns a tuple of maps, a VFM one map
    features = found[-1] if isinstance(found, tuple) else found
    return correlation_map(features[0], anchor)


def row_per_anchor(
    shown: Maps, anchors: list[Anchor], labels: list[str]
) -> tuple[list[str], list[Row]]:
    """A column per encoder."""
    rows = [
        Row(label, anchor, list(maps))
        for label, anchor, *maps in zip(labels, anchors, *shown.values(), strict=True)
    ]
    return list(shown), rows


def row_per_encoder(
    shown: Maps, anchors: list[Anchor], labels: list[str]
) -> tuple[list[str], list[Row]]:
    """A column per block, and for every anchor the rows of all encoders."""
    rows = [
        Row(title, anchor, maps)
        for title, columns in shown.items()
        for anchor, maps in zip(anchors, columns, strict=True)
    ]
    depth = max(len(row.maps) for row in rows)
    return [f'block {index + 1}' for index in range(depth)], rows


class View(NamedTuple):
    """One kind of figure."""

    maps: Callable[[nn.Module, Tensor, Anchor], Tensor | list[Tensor]]
    """A map of an encoder at an anchor, or one per block."""
    layout: Callable[[Maps, list[Anchor], list[str]], tuple[list[str], list[Row]]]
    """Titles of the columns, and the rows."""
    of_vfms: bool = False
    """Whether a VFM has it, too."""


VIEWS = dict(
    features=View(feature_map, row_per_anchor, of_vfms=True),
    attention=View(attention_map, row_per_anchor),
    blocks=View(block_maps, row_per_encoder),
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Draw how strongly every place of an image is related to an anchor '
        '(Figures 7 and 9 of the DeCLIP paper). features: cosines of the dense '
        'embedding; attention: weights of the readout, mean over heads; both with a '
        "row per anchor and a column per encoder. blocks: cosines of every block's "
        'output, a row per encoder.',
        epilog='example: correlation_maps.py IMAGE --configs clip.py declip.py '
        '--anchors 120,80 --readouts VanillaReadout NACLIPReadout --out maps.png',
    )
    parser.add_argument('image', help='path of an image')
    parser.add_argument(
        '--configs', nargs='+', required=True, help='configs with model.backbone'
    )
    parser.add_argument(
        '--encoders',
        nargs='+',
        help='one per config: a file of an aligned encoder (encoder.safetensors), or '
        "'-' for the weights that the config itself names",
    )
    parser.add_argument(
        '--titles', nargs='+', help='one per config (default: its file name)'
    )
    parser.add_argument(
        '--readouts',
        nargs='+',
        help="types of openvocab, each shown with every config (default: the config's)",
    )
    parser.add_argument(
        '--vfms',
        nargs='+',
        default=[],
        help='configs with `vfm` or model.vfm, whose features are shown too',
    )
    parser.add_argument(
        '--anchors',
        nargs='+',
        type=point,
        required=True,
        metavar='X,Y',
        help='places in pixels of the image',
    )
    parser.add_argument(
        '--kind', choices=list(VIEWS), default='features', help='default: %(default)s'
    )
    add_figure(parser, 'correlation_maps', size=336)
    args = parser.parse_args(argv)
    check_one_per_config(parser, args, 'encoders', 'titles')
    if args.vfms and not VIEWS[args.kind].of_vfms:
        parser.error(f'--vfms: a VFM has features only, not --kind {args.kind}')
    return args


def point(text: str) -> tuple[float, float]:
    """An ``argparse`` type: ``X,Y``."""
    try:
        x, y = map(float, text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not X,Y') from None
    return x, y


def main(argv: list[str] | None = None) -> None:
    """Runs every encoder and writes the figure."""
    args = parse_args(argv)
    refuse_code_in_checkpoints()
    MMLogger.get_current_instance().setLevel('WARNING')
    with user_errors('correlation_maps'):
        image = read_image(Path(args.image))
        titles, rows = draw(args, image, anchors_in(image, args.anchors))
        write_picture(args.out, correlation_figure(image, titles, rows))
    Console().print(f'written to {args.out}', highlight=False)


def anchors_in(image: np.ndarray, points: list[tuple[float, float]]) -> list[Anchor]:
    """Points in pixels as shares of the sides."""
    height, width = image.shape[:2]
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(
                f'--anchors {x:g},{y:g}: not in the image, {width} x {height} px'
            )
    return [(x / width, y / height) for x, y in points]


def draw(
    args: argparse.Namespace, image: np.ndarray, anchors: list[Anchor]
) -> tuple[list[str], list[Row]]:
    """Computes all maps; returns the titles of the columns and the rows."""
    view = VIEWS[args.kind]
    shown = {}
    for title, encoder in encoders(args):
        encoder = encoder.to(args.device).eval()
        images = encoder_input(image, encoder, args.size)
        shown[title] = [view.maps(encoder, images, anchor) for anchor in anchors]
    labels = [f'{x:g}, {y:g}' for x, y in args.anchors]
    return view.layout(shown, anchors, labels)


def encoders(args: argparse.Namespace) -> list[tuple[str, nn.Module]]:
    """Builds what is shown, with its titles."""
    titles = args.titles or [Path(config).stem for config in args.configs]
    files = args.encoders or ['-'] * len(args.configs)
    found = []
    for config, file, title in zip(args.configs, files, titles, strict=True):
        for readout in args.readouts or [None]:
            name = title if readout is None else f'{title}, {readout}'
            found.append((name, build_backbone(config, file, readout)))
    for config in args.vfms:
        vfm = build_vfm(config)
        found.append((f'{Path(config).stem}, {type(vfm).__name__}', vfm))
    return found


def build_backbone(config: str, file: str, readout: str | None) -> nn.Module:
    """Builds the encoder of a config, with other weights or another readout."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    backbone = cfg.model.backbone
    if readout is not None:
        backbone.readout = dict(type=f'openvocab.{readout}')
    if file != '-':
        backbone.init_cfg = dict(type='Pretrained', checkpoint=file)
    backbone = MODELS.build(backbone)
    backbone.init_weights()
    return backbone


def build_vfm(config: str) -> nn.Module:
    """Builds the VFM that a config names."""
    cfg = Config.fromfile(config)
    vfm = cfg.get('vfm') or cfg.get('model', {}).get('vfm')
    if vfm is None:
        raise ValueError(f'{config} names no vfm')
    return MODELS.build(vfm)


if __name__ == '__main__':
    main()
