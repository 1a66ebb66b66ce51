"""Packs a pre-trained CLIP, with an aligned image tower where given, into one file."""

import argparse

from rich.console import Console

from openvocab.converters.pack_clip import pack_clip
from openvocab.engine.user_errors import user_errors


def main() -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('arch', help="architecture, e.g. 'ov-shapes-u'")
    parser.add_argument('checkpoint', help='epoch_N.pth of the pre-training')
    parser.add_argument('out', help='file to write, .safetensors, half precision')
    parser.add_argument(
        '--encoder',
        help='encoder.safetensors of an alignment: replaces the image tower',
    )
    args = parser.parse_args()
    with user_errors('pack_clip'):
        sha = pack_clip(args.arch, args.checkpoint, args.out, args.encoder)
    Console().print(f'{args.out}  sha256 {sha}', highlight=False)


if __name__ == '__main__':
    main()
