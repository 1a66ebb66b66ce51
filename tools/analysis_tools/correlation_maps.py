"""Shows which places of an image encoders relate to chosen ones, side by side."""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, init_default_scope
from rich.console import Console
from torch import Tensor, nn

import openvocab  # noqa: F401
from openvocab.engine.arguments import add_figure, check_one_per_config
from openvocab.engine.safe_loading import refuse_code_in_checkpoints
from openvocab.visualization.correlation import (
    Anchor,
    Row,
    attention_map,
    block_maps,
    correlation_figure,
    correlation_map,
    encoder_input,
)

KINDS = ('features', 'attention', 'blocks')


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
        '--kind', choices=KINDS, default=KINDS[0], help='default: %(default)s'
    )
    add_figure(parser, 'correlation_maps', size=336)
    args = parser.parse_args(argv)
    check_one_per_config(parser, args, 'encoders', 'titles')
    if args.vfms and args.kind != 'features':
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
    image = cv2.imread(args.image)
    if image is None:
        sys.exit(f'correlation_maps: {args.image} is not a readable image')
    height, width = image.shape[:2]
    anchors = [(x / width, y / height) for x, y in args.anchors]
    try:
        titles, rows = draw(args, image, anchors)
        figure = correlation_figure(image, titles, rows)
    except (OSError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        sys.exit(f'correlation_maps: {error}')
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), figure)
    Console().print(f'written to {out}', highlight=False)


def draw(
    args: argparse.Namespace, image: np.ndarray, anchors: list[Anchor]
) -> tuple[list[str], list[Row]]:
    """Computes all maps; returns the titles of the columns and the rows."""
    shown = {}
    for title, encoder in encoders(args):
        encoder = encoder.to(args.device).eval()
        images = encoder_input(image, encoder, args.size)
        shown[title] = [maps_at(args.kind, encoder, images, a) for a in anchors]
    if args.kind == 'blocks':
        rows = [
            Row(title, anchor, maps)
            for title, columns in shown.items()
            for anchor, maps in zip(anchors, columns, strict=True)
        ]
        depth = max(len(row.maps) for row in rows)
        return [f'block {index + 1}' for index in range(depth)], rows
    rows = [
        Row(f'{x:g}, {y:g}', anchor, [columns[index] for columns in shown.values()])
        for index, (anchor, (x, y)) in enumerate(
            zip(anchors, args.anchors, strict=True)
        )
    ]
    return list(shown), rows


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


def maps_at(
    kind: str, encoder: nn.Module, images: Tensor, anchor: Anchor
) -> Tensor | list[Tensor]:
    """One map of an encoder, or one per block."""
    if kind == 'attention':
        return attention_map(encoder, images, anchor)
    if kind == 'blocks':
        return block_maps(encoder, images, anchor)
    with torch.no_grad():
        found = encoder(images)
    # a backbone returns a tuple of maps, a VFM one map
    features = found[-1] if isinstance(found, tuple) else found
    return correlation_map(features[0], anchor)


if __name__ == '__main__':
    main()
