"""Packs a pre-trained tiny VFM into one file."""

import argparse

from rich.console import Console

from openvocab.converters.pack_vfm import pack_vfm
from openvocab.engine.user_errors import user_errors


def main() -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='epoch_N.pth of the pre-training')
    parser.add_argument('out', help='file to write, .safetensors, half precision')
    args = parser.parse_args()
    with user_errors('pack_vfm'):
        sha = pack_vfm(args.checkpoint, args.out)
    Console().print(f'{args.out}  sha256 {sha}', highlight=False)


if __name__ == '__main__':
    main()
