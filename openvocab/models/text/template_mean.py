"""From the sentences of a prompt set to vectors per class."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.vocab import PromptSet


@torch.no_grad()
def template_mean(
    encoder: nn.Module,
    names: Sequence[str],
    prompts: PromptSet,
    batch_size: int = 256,
) -> Tensor:
    """Mean of the unit vectors of all templates, per class name.

    Only the sentences of a few classes are in memory at a time.

    Args:
        encoder: Has ``encode(list[str], batch_size) -> (N, D)``.
        names: K prompt names.
        prompts: T templates.
        batch_size: Sentences per forward pass of the encoder.

    Returns:
        Tensor: (K, D) float32 on the CPU; the norm of a row is at most 1, and is 1
        if there is only one template.

    Raises:
        ValueError: The encoder gives a value that is not finite; names the class.
    """
    vectors = _template_vectors(encoder, names, prompts, batch_size)
    rows = torch.cat([chunk.mean(dim=1).cpu() for chunk in vectors])
    _check_finite(rows, names)
    return rows


@torch.no_grad()
def template_rows(
    encoder: nn.Module,
    names: Sequence[str],
    prompts: PromptSet,
    batch_size: int = 256,
) -> Tensor:
    """Unit vectors of every template, per class name: (K, T, D) float32 on the CPU.

    Arguments and errors are those of :func:`template_mean`.
    """
    vectors = _template_vectors(encoder, names, prompts, batch_size)
    rows = torch.cat([chunk.cpu() for chunk in vectors])
    _check_finite(rows.flatten(1), names)
    return rows


def _template_vectors(
    encoder: nn.Module, names: Sequence[str], prompts: PromptSet, batch_size: int
) -> Iterator[Tensor]:
    """Unit vectors (k, T, D) of a few classes at a time."""
    step = max(1, batch_size // len(prompts))
    for start in range(0, len(names), step):
        chunk = names[start : start + step]
        sentences = [sentence for name in chunk for sentence in prompts.format(name)]
        vectors = encoder.encode(sentences, batch_size).float()
        vectors = rearrange(vectors, '(k t) d -> k t d', k=len(chunk))
        yield F.normalize(vectors, dim=-1)


def _check_finite(rows: Tensor, names: Sequence[str]) -> None:
    broken = (~rows.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        raise ValueError(
            f'the text encoder gives values that are not finite for '
            f'{names[broken[0]]!r} ({len(broken)} of {len(names)} classes)'
        )
