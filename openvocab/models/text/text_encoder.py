"""The text tower of a CLIP as a frozen encoder of strings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn

from openvocab.registry import MODELS

_RANDOM_SEED = 0


@MODELS.register_module()
class TextEncoder(nn.Module):
    """Frozen text tower; the image tower of the CLIP is dropped.

    Random weights (``checkpoint=None``, for tests and dry runs) are drawn under a fixed
    seed without touching the global generators, so that every process and every
    rebuild gives the same rows.

    Args:
        arch: Name of a CLIP architecture, see
            :func:`openvocab.models.clip_factory.create_clip`.
        checkpoint: Weights, as for ``create_clip``; None for random ones.

    Attributes:
        embed_dim: D, the width of the joint image-text space.
        fingerprint: Identifies architecture and weights, ``'ARCH:HEX DIGITS'``.
    """

    def __init__(self, arch: str, checkpoint: str | Path | None = None) -> None:
        from openvocab.models.clip_factory import (
            clip_fingerprint,
            create_clip,
            get_tokenizer,
        )

        super().__init__()
        if checkpoint is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_RANDOM_SEED)
                model = create_clip(arch)
        else:
            model = create_clip(arch, checkpoint)
        weights = clip_fingerprint(arch, checkpoint, model)
        self.fingerprint = f'{arch}:{weights}'
        model.visual = nn.Identity()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = get_tokenizer(arch)
        self.embed_dim = self.encode(['a']).shape[1]

    @classmethod
    def find_fingerprint(
        cls, arch: str, checkpoint: str | Path | None = None
    ) -> str | None:
        """Fingerprint of the encoder that these arguments build, without building it.

        Returns:
            str | None: None where only the built encoder knows it (random weights).
        """
        from openvocab.models.clip_factory import clip_fingerprint

        if checkpoint is None:
            return None
        return f'{arch}:{clip_fingerprint(arch, checkpoint)}'

    def train(self, mode: bool = True) -> 'TextEncoder':
        """Stays in eval mode, whatever ``mode`` says: the tower is frozen."""
        return super().train(False)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Encodes sentences.

        Args:
            texts: N sentences.
            batch_size: Sentences per forward pass.

        Returns:
            Tensor: (N, D) float32, not normalised, on the device of the weights.
        """
        device = next(self.model.parameters()).device
        if not len(texts):
            return torch.zeros(0, self.embed_dim, device=device)
        features = []
        # Rows must not depend on whether the caller happens to run under autocast.
        with torch.autocast(device.type, enabled=False):
            for start in range(0, len(texts), batch_size):
                batch = list(texts[start : start + batch_size])
                tokens = self.tokenizer(batch)
                warn_if_cut(self.tokenizer, batch, tokens)
                encoded = self.model.encode_text(tokens.to(device), normalize=False)
                features.append(encoded.float())
        return torch.cat(features)

    forward = encode


def warn_if_cut(tokenizer: Any, texts: Sequence[str], tokens: Tensor) -> None:
    """Warns of sentences that do not fit into the context of CLIP's tokenizer.

    Args:
        tokenizer: What made the tokens; other kinds than CLIP's are not looked at.
        texts: N sentences.
        tokens: (N, L), L the length of the context.
    """
    from open_clip import SimpleTokenizer

    if not isinstance(tokenizer, SimpleTokenizer):
        return
    length = tokens.shape[1]
    for row in tokens[:, -1].nonzero().flatten().tolist():
        # Two places are taken by the start and the end token.
        needed = len(tokenizer.encode(texts[row])) + 2
        if needed > length:
            MMLogger.get_current_instance().warning(
                f'prompt cut to {length} of {needed} tokens: {texts[row]!r}'
            )
