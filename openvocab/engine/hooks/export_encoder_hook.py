"""Writes the trained image tower as a file that other models load."""

from pathlib import Path

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from openvocab.engine.unwrapping import unwrapped
from openvocab.registry import HOOKS


@HOOKS.register_module()
class ExportEncoderHook(Hook):
    """Exports ``alpha * student + (1 - alpha) * original`` when training ends.

    The file goes into the work directory and is loaded downstream with
    ``init_cfg=dict(type='Pretrained', checkpoint=...)``; its metadata names the
    architecture, the readout and the weights it came from.

    Args:
        alpha: Share of the student in weight space, in [0, 1]. Below 1 the original
            tower, as the config builds it, is kept in memory during training (CLIPSelf,
            section 4.2, mixes for downstream use; 1 exports the student itself).
        filename: Name of the file within the work directory, ending in
            ``.safetensors``.

    Raises:
        ValueError: If ``alpha`` is outside [0, 1], ``filename`` has another suffix, or
            the model has no ``backbone``.
    """

    # After the checkpoint hook, so that a failing export never costs the checkpoint.
    priority = 'LOWEST'

    def __init__(
        self, alpha: float = 1.0, filename: str = 'encoder.safetensors'
    ) -> None:
        if not 0 <= alpha <= 1:
            raise ValueError(f'ExportEncoderHook: alpha must be in [0, 1], got {alpha}')
        if Path(filename).suffix != '.safetensors':
            raise ValueError(
                f'ExportEncoderHook: filename must end in .safetensors: {filename!r}'
            )
        self.alpha = alpha
        self.filename = filename
        self._original: dict[str, torch.Tensor] | None = None

    def before_run(self, runner: Runner) -> None:
        """Keeps the original tower; a resumed student is loaded later than this."""
        backbone = find_backbone(runner.model)
        if self.alpha < 1:
            backbone.init_weights()  # the runner's own call comes later, and once only
            state = backbone.export_state_dict()
            self._original = {k: v.detach().cpu().clone() for k, v in state.items()}

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Writes the file."""
        from openvocab.models.backbones.export import save_encoder

        path = Path(runner.work_dir) / self.filename
        save_encoder(
            find_backbone(runner.model),
            path,
            alpha=self.alpha,
            original=self._original,
        )
        runner.logger.info(f'Encoder exported to {path} (alpha {self.alpha:g})')


def find_backbone(model: nn.Module) -> nn.Module:
    """The image tower of an aligner, recogniser, detector or segmentor.

    Raises:
        ValueError: If the model has none.
    """
    model = unwrapped(model)
    backbone = getattr(model, 'backbone', None)
    if not isinstance(backbone, nn.Module):
        raise ValueError(f'{type(model).__name__} has no backbone to export or record')
    return backbone
