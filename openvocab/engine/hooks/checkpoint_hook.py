"""Checkpoints that survive an interruption at any moment."""

from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from openvocab.engine.plain_state import restore_histories, to_plain
from openvocab.fileio import write_atomically
from openvocab.registry import HOOKS

_BACKEND = 'openvocab.AtomicLocalBackend'


class AtomicLocalBackend(LocalBackend):
    """Local files that appear under their name only when they are complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Writes ``obj`` beside ``filepath`` and renames it."""
        write_atomically(filepath, obj)


register_backend(_BACKEND, AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """:class:`mmengine.hooks.CheckpointHook` that never loses the last good state.

    mmengine's hook writes into the final file and, with ``max_keep_ckpts``, removes the
    oldest checkpoint *before* it writes the new one; being killed in that window leaves
    nothing to resume from. Here the new file is written under a temporary name and
    renamed, ``last_checkpoint`` likewise, and old files go last. The file holds tensors
    and plain values only (see :mod:`openvocab.engine.plain_state`). All arguments of
    the parent apply, except that files are local.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.file_client_args is not None or self.backend_args is not None:
            raise ValueError(
                'AtomicCheckpointHook writes local files: drop backend_args and '
                'file_client_args, or use CheckpointHook'
            )
        self.backend_args = {'backend': _BACKEND}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turns log histories and numpy values into tensors."""
        for key in ('message_hub', 'meta'):
            checkpoint[key] = to_plain(checkpoint[key])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turns them back."""
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = restore_histories(checkpoint['message_hub'])

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Leaves the best checkpoint out where validation does not measure it.

        A data set without novel classes has no AP of them; the parent would end the
        training with a KeyError.
        """
        if self.save_best and not {'auto', *metrics}.issuperset(self.key_indicators):
            runner.logger.warning(
                f'no best checkpoint: validation gives {", ".join(metrics)}, and '
                f'default_hooks.checkpoint.save_best={self.save_best!r}'
            )
            return
        super()._save_best_checkpoint(runner, metrics)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        outdated = []
        if self.max_keep_ckpts > 0:
            kept = [i for i in self.keep_ckpt_ids if i != step] + [step]
            outdated = kept[: -self.max_keep_ckpts]
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept[-self.max_keep_ckpts :])
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if not is_main_process():
            return
        write_atomically(
            Path(runner.work_dir) / 'last_checkpoint', self.last_ckpt.encode()
        )
        for old in outdated:
            path = Path(self.out_dir) / self.filename_tmpl.format(old)
            path.unlink(missing_ok=True)
