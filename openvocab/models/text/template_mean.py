"""Averaging the sentences of a prompt set into one vector per class."""

from collections.abc import Sequence

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
    step = max(1, batch_size // len(prompts))
    means = []
    for start in range(0, len(names), step):
        chunk = names[start : start + step]
        sentences = [sentence for name in chunk for sentence in prompts.format(name)]
        vectors = encoder.encode(sentences, batch_size).float()
        vectors = rearrange(
            F.normalize(vectors, dim=-1), '(k t) d -> k t d', k=len(chunk)
        )
        means.append(vectors.mean(dim=1).cpu())
    rows = torch.cat(means)
    broken = (~rows.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        raise ValueError(
            f'the text encoder gives values that are not finite for '
            f'{names[broken[0]]!r} ({len(broken)} of {len(names)} classes)'
        )
    return rows
