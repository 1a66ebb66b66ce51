"""What a key rule may do to tensors: no bit is lost, everything has an inverse."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


class TensorOp(ABC):
    """From the tensors of a rule's released keys to those of ours, and back."""

    @abstractmethod
    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """Released tensors to ``count`` of ours.

        Raises:
            ValueError: The tensors have other shapes than the operation needs.
        """

    @abstractmethod
    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """Our tensors to ``count`` released ones; the inverse of :meth:`apply`."""


@dataclass(frozen=True)
class Transpose(TensorOp):
    """Swaps two axes, by default those of a matrix."""

    first: int = 0
    second: int = 1

    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.apply`."""
        (tensor,) = tensors
        if tensor.dim() <= max(self.first, self.second):
            raise ValueError(f'shape {tuple(tensor.shape)} cannot be transposed')
        return [tensor.transpose(self.first, self.second).contiguous()]

    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.invert`."""
        return self.apply(tensors, count)


@dataclass(frozen=True)
class Unsqueeze(TensorOp):
    """Our tensor has further axes of length one.

    Args:
        axes: Where they stand in our tensor, rising.
    """

    axes: tuple[int, ...] = (0,)

    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.apply`."""
        (tensor,) = tensors
        for axis in self.axes:
            tensor = tensor.unsqueeze(axis)
        return [tensor]

    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.invert`."""
        (tensor,) = tensors
        for axis in reversed(self.axes):
            if tensor.dim() <= axis or tensor.shape[axis] != 1:
                raise ValueError(f'shape {tuple(tensor.shape)} has no axis of length 1')
            tensor = tensor.squeeze(axis)
        return [tensor]


@dataclass(frozen=True)
class Concat(TensorOp):
    """Our tensor holds several released ones one after the other, equal in size.

    Args:
        axis: Along which axis.
    """

    axis: int = 0

    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.apply`."""
        shapes = {(tuple(tensor.shape), tensor.dtype) for tensor in tensors}
        if len(shapes) > 1:
            raise ValueError(f'shapes differ: {sorted(map(str, shapes))}')
        if tensors[0].dim() <= self.axis:
            raise ValueError(f'shape {tuple(tensors[0].shape)} has no axis {self.axis}')
        return [torch.cat(list(tensors), dim=self.axis)]

    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.invert`."""
        (tensor,) = tensors
        if tensor.dim() <= self.axis or tensor.shape[self.axis] % count:
            raise ValueError(
                f'shape {tuple(tensor.shape)} cannot be cut into {count} along axis '
                f'{self.axis}'
            )
        return [part.clone() for part in tensor.chunk(count, dim=self.axis)]


@dataclass(frozen=True)
class Chunk(TensorOp):
    """Several tensors of ours are equal parts of a released one; undoes ``Concat``.

    Args:
        axis: Along which axis.
    """

    axis: int = 0

    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.apply`."""
        return Concat(self.axis).invert(tensors, count)

    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.invert`."""
        return Concat(self.axis).apply(tensors, count)


@dataclass(frozen=True)
class Squeeze(TensorOp):
    """The released tensor has further axes of length one; undoes ``Unsqueeze``.

    Args:
        axes: Where they stand in the released tensor, rising.
    """

    axes: tuple[int, ...] = (0,)

    def apply(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.apply`."""
        return Unsqueeze(self.axes).invert(tensors, count)

    def invert(self, tensors: Sequence[Tensor], count: int) -> Sequence[Tensor]:
        """See :meth:`TensorOp.invert`."""
        return Unsqueeze(self.axes).apply(tensors, count)
