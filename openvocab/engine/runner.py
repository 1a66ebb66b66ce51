"""mmengine's runner, careful about whose weights it tests and continues."""

from collections.abc import Callable, Sequence
from typing import Any

from mmengine.model import BaseTTAModel
from mmengine.runner import BaseLoop, Runner
from torch import nn

from openvocab.checkpoints.reading import state_dict_of

from .safe_loading import load_from_source
from .strict_loading import load_state
from .unwrapping import unwrapped


class StrictRunner(Runner):
    """A runner that neither tests nor resumes from a checkpoint of another model.

    mmengine only warns of keys and shapes that differ. ``load_from`` of a training
    stays as it is there: what is fine-tuned may have another head.
    """

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool = False,
        revise_keys: Sequence[tuple[str, str]] = ((r'^module.', ''),),
    ) -> dict[str, Any]:
        """Loads a checkpoint into the model.

        Args:
            filename: See :func:`load_from_source`.
            map_location: As in :func:`torch.load`.
            strict: Refuse one that does not fit where a training begins, too.
            revise_keys: As in mmengine, where the checkpoint need not fit.

        Returns:
            Its content.

        Raises:
            CheckpointError: It is of another model.
        """
        trains = isinstance(self._train_loop, BaseLoop)
        if trains and not self._resume and not strict:
            return super().load_checkpoint(
                filename, map_location, revise_keys=list(revise_keys)
            )
        checkpoint = load_from_source(filename, map_location)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        state = state_dict_of(checkpoint, f'checkpoint {filename}')
        load_state(_augmented(self.model), state, filename, self.cfg)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint


def _augmented(model: nn.Module) -> nn.Module:
    """The model whose weights a checkpoint has, inside test-time augmentation too."""
    model = unwrapped(model)
    return _augmented(model.module) if isinstance(model, BaseTTAModel) else model
