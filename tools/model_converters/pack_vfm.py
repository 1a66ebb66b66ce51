"""Packs a pre-trained tiny VFM into one file."""

import argparse
import sys

from rich.console import Console

from openvocab.converters.pack_vfm import pack_vfm


def main() -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='epoch_N.pth of the pre-training')
    parser.add_argument('out', help='file to write, .safetensors, half precision')
    args = parser.parse_args()
    try:
        sha = pack_vfm(args.checkpoint, args.out)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f'pack_vfm: {error}')
    Console().print(f'{args.out}  sha256 {sha}', highlight=False)


if __name__ == '__main__':
    main()
