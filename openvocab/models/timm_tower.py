"""Open_clip's timm image towers, made to take any image size."""

import inspect
from typing import Any

import timm
from open_clip.timm_model import TimmModel
from torch import nn


def make_dynamic(visual: nn.Module, vision_cfg: dict[str, Any]) -> None:
    """Rebuild a timm trunk with ``dynamic_img_size=True``, in place, same weights.

    Open_clip builds the trunk itself and passes the option on to nobody; without it an
    EVA trunk asserts the image size that it was built for.

    Args:
        visual: Open_clip's image tower; any other kind of tower is left alone.
        vision_cfg: The ``vision_cfg`` that it was built from.
    """
    if not isinstance(visual, TimmModel):
        return
    trunk = visual.trunk
    if 'dynamic_img_size' not in inspect.signature(type(trunk)).parameters:
        return
    kwargs: dict[str, Any] = dict(dynamic_img_size=True)
    if vision_cfg.get('timm_drop_path') is not None:
        kwargs['drop_path_rate'] = vision_cfg['timm_drop_path']
    if vision_cfg.get('patch_dropout', 0.0) > 0:
        kwargs['patch_drop_rate'] = vision_cfg['patch_dropout']
    pool = vision_cfg.get('timm_pool', 'avg')
    name = vision_cfg['timm_model_name']
    if len(visual.head):  # the projection is open_clip's, the trunk has no classifier
        dynamic = timm.create_model(name, **kwargs)
        dynamic.reset_classifier(0, **(dict(global_pool=pool) if pool else {}))
    else:
        dynamic = timm.create_model(
            name, num_classes=trunk.num_classes, global_pool=pool, **kwargs
        )
    dynamic.load_state_dict(trunk.state_dict())
    visual.trunk = dynamic
