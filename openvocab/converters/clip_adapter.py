"""What the adapters of all CLIP families share. Our names are open_clip's."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError

from .adapter import Adapter, Conversion, Drop
from .key_rule import KeyRule

COMPUTED = 'every model computes it itself'
COMPUTED_TABLES = (
    Drop('{at:(?:.+\\.)?}{name:attn_mask|position_ids}', COMPUTED),
    Drop('{at:(?:.+\\.)?}rope.{name:freqs_cos|freqs_sin}', COMPUTED),
    Drop('{at:(?:.+\\.)?}{name:rel_pos_bias_index|relative_position_index}', COMPUTED),
    Drop('{name:input_resolution|context_length|vocab_size}', COMPUTED),
)
"""Fixed tables and sizes that some files carry."""


def unchanged(*templates: str) -> tuple[KeyRule, ...]:
    """Rules for keys that have one name on both sides."""
    return tuple(KeyRule(template, template) for template in templates)


class CLIPAdapter(Adapter):
    """A family of whole CLIPs, of image towers, or of models around one."""

    drops = COMPUTED_TABLES
    readout: ClassVar[dict[str, Any] | None] = None
    """Record of the readout that the dense map was trained for, as
    :meth:`openvocab.models.backbones.DenseReadout.record` gives it; None where none
    was."""

    part: ClassVar[str] = ''
    """Stands before complaints of the encoder, where it is not the whole model."""

    def metadata(
        self, checkpoint: Mapping[str, Any], state: Mapping[str, Tensor]
    ) -> dict[str, Any]:
        """See :meth:`Adapter.metadata`; adds the readout."""
        record = super().metadata(checkpoint, state)
        return record if self.readout is None else dict(record, readout=self.readout)

    def verify(
        self, conversion: Conversion, arch: str | None = None
    ) -> tuple[str, ...]:
        """See :meth:`Adapter.verify`; records architecture, mean and std."""
        from openvocab.models.clip_architectures import (
            differences,
            find_architectures,
        )
        from openvocab.models.clip_factory import arch_name, clip_mean_std

        encoder = self.encoder_state(conversion.state)
        if arch is None:
            found = self.architectures(find_architectures(encoder))
            if len(found) != 1:
                what = ' and '.join(found) if found else 'no known architecture'
                return (f"the encoder's tensors fit {what}: name the one with --arch",)
            arch = found[0]
        try:
            wrong = tuple(self.part + line for line in differences(encoder, arch))
        except KeyError as error:
            raise CheckpointError(str(error.args[0])) from error
        mean, std = clip_mean_std(arch)
        conversion.metadata.setdefault('mean', list(mean))
        conversion.metadata.setdefault('std', list(std))
        conversion.metadata['arch'] = arch_name(arch)
        return wrong

    def encoder_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's tensors in open_clip's names.

        Args:
            state: The weights in our names.
        """
        return dict(state)

    def architectures(self, found: list[str]) -> list[str]:
        """Those of the fitting architectures that the family was released for."""
        return found
