"""Released CLIPSelf checkpoints.

A file is ``{epoch, name, state_dict, optimizer, scaler}``; its ``state_dict`` is a
whole CLIP with EVA-CLIP key names, or with open_clip's own for the OpenAI towers.

Source: Wu et al., "CLIPSelf", ICLR 2024.
"""

from typing import Any

from torch import Tensor

from . import eva_clip


def from_upstream(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """Convert a released checkpoint to open_clip's state dict.

    Args:
        checkpoint: The loaded file, or only its ``state_dict``.

    Returns:
        Open_clip's names; tensors are shared with the input, not copied.
    """
    state = checkpoint.get('state_dict', checkpoint)
    state = {key.removeprefix('module.'): value for key, value in state.items()}
    return eva_clip.from_upstream(state) if eva_clip.is_upstream(state) else state


def to_upstream(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert open_clip's state dict to the names that the released code loads.

    Args:
        state_dict: A CLIP's (or an image tower's) state dict, open_clip's names.

    Returns:
        The authors' names, to be saved under ``state_dict``.
    """
    return eva_clip.to_upstream(state_dict)
