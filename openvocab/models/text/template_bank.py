"""Text rows with the templates kept apart."""

from collections.abc import Sequence

from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS

from .template_mean import template_rows
from .text_bank import TextBank


@MODELS.register_module()
class TemplateBank(TextBank):
    """(K, P, D) float32 unit rows: one per class and template, without gradient.

    For heads that weigh templates themselves: the first CAT-Seg and SED keep the 80 of
    ``imagenet80`` as channels of their cost volume. Everything else is as in
    :class:`TextBank`.
    """

    def _cache_key(self, fingerprint: str) -> str:
        return f'{fingerprint}, templates apart'

    def _encode(self, encoder: nn.Module, names: Sequence[str]) -> Tensor:
        return template_rows(encoder, names, self.prompts).flatten(1)

    def _compute(self, names: Sequence[str]) -> Tensor:
        """Rows (K, P, D) on the CPU, in the order of names."""
        rows = super()._compute(names)
        return rearrange(rows, 'k (p d) -> k p d', p=len(self.prompts))
