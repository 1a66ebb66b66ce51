"""Detectors by config, and what they find in images.

::

    model = build_detector('configs/fvit/NAME.py', 'work_dirs/NAME/epoch_3.pth')
    samples = detect(model, ['a.jpg', 'b.jpg'], vocabulary=['red circle', 'blue star'])
    detection_records(samples[0], score_thr=0.3)
    # [{'name': 'blue star', 'score': 0.81, 'bbox': [3.1, 20.7, 40.2, 61.0]}]
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn

from openvocab.engine.safe_loading import refuse_code_in_checkpoints
from openvocab.registry import MODELS
from openvocab.vocab.vocabulary import VocabularySource

Image = str | Path | np.ndarray


def build_detector(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Builds the detector of a config, ready to predict.

    Encoders load the weights that the config names, ``init_cfg`` too. From here on this
    process refuses checkpoints that carry code.

    Args:
        config: A config file or a config.
        checkpoint: What ``tools/train.py`` wrote; None leaves all but the encoders at
            its initial weights.
        device: Where the model goes.
        cfg_options: Entries of the config to change, ``{'a.b': value}``.

    Returns:
        The model in eval mode; ``model.cfg`` is its config.

    Raises:
        FileNotFoundError: The config or a file of weights does not exist.
        ValueError: The checkpoint carries code, or was trained with another encoder.
    """
    refuse_code_in_checkpoints()
    cfg = config if isinstance(config, Config) else Config.fromfile(config)
    if cfg_options:
        cfg = copy.deepcopy(cfg)
        cfg.merge_from_dict(dict(cfg_options))
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    model = MODELS.build(cfg.model)
    model.init_weights()
    if checkpoint is not None:
        load_checkpoint(model, str(checkpoint), map_location='cpu')
    model = revert_sync_batchnorm(model)
    model.cfg = cfg
    return model.to(device).eval()


def detect(
    model: nn.Module,
    images: Image | Sequence[Image],
    vocabulary: VocabularySource | None = None,
) -> list[DetDataSample]:
    """Detects objects, one image after the other, by the config's test pipeline.

    Args:
        model: From :func:`build_detector`.
        images: One or several: files, or (H, W, 3) uint8 BGR arrays.
        vocabulary: Classes for this call alone, anything that
            :meth:`openvocab.vocab.Vocabulary.load` takes. By default the model's own,
            which ``model.set_vocabulary`` changes for good.

    Returns:
        One sample per image, on the CPU. Its ``pred_instances`` hold ``bboxes`` (N, 4)
        xyxy in pixels of the image, ``scores`` and ``labels`` (N,), best first,
        ``label_names``, and ``masks`` (N, H, W) bool where the model has a mask head.

    Raises:
        FileNotFoundError: There is no such image.
        ValueError: The vocabulary is none.
    """
    images = [images] if isinstance(images, (str, Path, np.ndarray)) else images
    samples = []
    for number, image in enumerate(images):
        item = _pipeline(model.cfg, image)(
            dict(**_source(image), img_id=number, instances=[])
        )
        sample = item['data_samples']
        if vocabulary is not None:
            sample.set_metainfo(dict(vocabulary=vocabulary))
        batch = dict(inputs=[item['inputs']], data_samples=[sample])
        with torch.no_grad():
            samples += model.test_step(batch)
    return [sample.cpu() for sample in samples]


def detection_records(
    sample: DetDataSample, score_thr: float = 0.0
) -> list[dict[str, Any]]:
    """Plain values of an image's detections, for a json file.

    Args:
        sample: From :func:`detect`.
        score_thr: Detections below are left out.

    Returns:
        ``name``, ``score`` and ``bbox`` (x1, y1, x2, y2) of each, best first.
    """
    found = sample.pred_instances
    rows = zip(
        found.label_names, found.scores.tolist(), found.bboxes.tolist(), strict=True
    )
    return [
        dict(name=name, score=score, bbox=box)
        for name, score, box in rows
        if score >= score_thr
    ]


def _pipeline(cfg: Config, image: Image) -> Compose:
    transforms = copy.deepcopy(get_test_pipeline_cfg(cfg))
    if isinstance(image, np.ndarray):
        transforms[0]['type'] = 'mmdet.LoadImageFromNDArray'
    return Compose(transforms)


def _source(image: Image) -> dict[str, Any]:
    if isinstance(image, np.ndarray):
        return dict(img=image)
    if not Path(image).is_file():
        raise FileNotFoundError(f'image not found: {image}')
    return dict(img_path=str(image))
