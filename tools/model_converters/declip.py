"""Writes a released DeCLIP checkpoint together with the readout it was trained for."""

import argparse
import sys

from rich.console import Console

from openvocab.converters.declip import RELEASED, ReleasedReadout, state_readout


def main() -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='released file, .pt')
    parser.add_argument('out', help='file to write, .safetensors')
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--released', choices=list(RELEASED), help='name of the release')
    which.add_argument('--arch', help="for any other file: 'EVA02-B-16', ...")
    parser.add_argument('--projections', default='qk', help='q, k or qk (csa)')
    parser.add_argument(
        '--attn-scale',
        type=float,
        help='factor on attention logits (1 / sqrt(channels per head) if not given)',
    )
    args = parser.parse_args()
    readout = ReleasedReadout(args.arch, args.projections, args.attn_scale)
    if args.released:
        readout = RELEASED[args.released]
    try:
        sha = state_readout(args.checkpoint, args.out, readout)
    except (FileNotFoundError, KeyError, ValueError) as error:
        sys.exit(f'declip: {error}')
    Console().print(f'{args.out}  sha256 {sha}', highlight=False)


if __name__ == '__main__':
    main()
