"""What of a CLIP's tower trains, image or text.

What a strategy does not name is frozen; so is what it names but the forward pass never
reads (:meth:`TrainableTower.unused_parameters`): such weights get no gradient, yet
weight decay would shrink them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Protocol

from torch import nn

from openvocab.registry import MODELS


class TrainableTower(Protocol):
    """What a tower shows of itself to a strategy."""

    @property
    def root(self) -> nn.Module:
        """The module that holds the whole tower."""

    @property
    def groups(self) -> list[nn.Module]:
        """Blocks (or stages) in order."""

    def separate_unused(self) -> None:
        """Rebuild what mixes used and unused weights in one parameter."""

    def unused_parameters(self) -> list[nn.Parameter]:
        """Parameters that the forward pass never reads."""

    def attention_weights(self, letters: Iterable[str]) -> list[nn.Parameter]:
        """Weights of the q, k or v projections of all blocks, made separate."""


class Trainable(ABC):
    """Strategy: which parameters of a tower train."""

    @abstractmethod
    def parameters(self, tower: TrainableTower) -> list[nn.Parameter]:
        """The parameters that train, unless the forward pass never reads them."""

    def modules(self, tower: TrainableTower) -> list[nn.Module]:
        """Modules that are in train mode while training (dropout, drop path)."""
        return []


class LastBlocks(Trainable):
    """The last blocks (stages), whole; ``trainable_blocks`` of a backbone.

    Args:
        count: How many; -1 is all of them, 0 none.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def parameters(self, tower: TrainableTower) -> list[nn.Parameter]:
        """The parameters that train."""
        return [p for group in self.modules(tower) for p in group.parameters()]

    def modules(self, tower: TrainableTower) -> list[nn.Module]:
        """The blocks themselves."""
        groups = tower.groups
        if not -1 <= self.count <= len(groups):
            raise ValueError(
                f'trainable_blocks={self.count}: there are {len(groups)} blocks (-1 '
                'trains all)'
            )
        count = len(groups) if self.count == -1 else self.count
        return groups[len(groups) - count :]


@MODELS.register_module()
class AttentionProjections(Trainable):
    """Weight matrices of the attention's projections in all blocks, without biases.

    CAT-Seg trains queries and values of both towers this way.

    Args:
        letters: Which of q, k and v.

    Source: Cho et al., "CAT-Seg", CVPR 2024, section 3.4.
    """

    def __init__(self, letters: str = 'qv') -> None:
        if not letters or set(letters) - set('qkv'):
            raise ValueError(f"letters={letters!r}: choose from 'q', 'k' and 'v'")
        self.letters = letters

    def parameters(self, tower: TrainableTower) -> list[nn.Parameter]:
        """The parameters that train."""
        return tower.attention_weights(self.letters)


@MODELS.register_module()
class WholeTower(Trainable):
    """Everything: stem, position table, blocks, norms and projection.

    SED fine-tunes its ConvNeXt this way.
    """

    def parameters(self, tower: TrainableTower) -> list[nn.Parameter]:
        """The parameters that train."""
        return list(tower.root.parameters())

    def modules(self, tower: TrainableTower) -> list[nn.Module]:
        """The tower."""
        return [tower.root]


def train_only(tower: TrainableTower, trainable: Trainable) -> int:
    """Freezes a tower but for what a strategy names.

    Args:
        tower: The tower; attention with q, k and v in one parameter is split where
            only some of them train. It is left as it is if nothing is named.
        trainable: The strategy.

    Returns:
        Number of values that are named but never read, and frozen for that.

    Raises:
        ValueError: The tower does not have what the strategy names.
    """
    if not trainable.parameters(tower):
        return 0
    tower.separate_unused()  # gives some of them new parameters
    named = trainable.parameters(tower)
    unused = {id(parameter) for parameter in tower.unused_parameters()}
    tower.root.requires_grad_(False)
    for parameter in named:
        parameter.requires_grad_(id(parameter) not in unused)
    return sum(p.numel() for p in named if id(p) in unused)


def trains(module: nn.Module) -> bool:
    """Whether anything in a module trains."""
    return any(parameter.requires_grad for parameter in module.parameters())
