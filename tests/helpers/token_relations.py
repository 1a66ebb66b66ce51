"""What an encoder's context and a VFM say about pairs of tokens of OV-Shapes."""

from pathlib import Path

import cv2
import numpy as np
import torch
from einops import rearrange
from mmengine.config import Config
from torch import Tensor
from torch.nn import functional as F

from openvocab.models.backbones import DeCLIP
from openvocab.models.teachers import features_on_grid
from openvocab.registry import MODELS

PATCH = 8


class TokenRelations:
    """Compares encoders with the tiny VFM and with the annotated segments.

    Tokens on the border of two segments are left out.

    Args:
        repo_root: The checkout.
        data: Folder of an OV-Shapes data set with a ``val`` split.
    """

    def __init__(self, repo_root: Path, data: Path) -> None:
        base = repo_root / 'configs/_base_/models/ov_shapes_vfm.py'
        self.vfm = MODELS.build(Config.fromfile(base).vfm)
        self.images = sorted((data / 'val').glob('*.jpg'))
        self.segments = data / 'annotations' / 'panoptic_val'

    def compare(self, encoder: Path | None) -> dict[str, float]:
        """Mean cosine of Q within and across segments, and distance to the VFM's.

        Args:
            encoder: A file of an aligned U-VLM; None is the plain one.
        """
        init_cfg = encoder and dict(type='Pretrained', checkpoint=str(encoder))
        model = DeCLIP('ov-shapes-u', 'openvocab://ov-shapes-u', init_cfg=init_cfg)
        model.init_weights()
        found = [self._of_image(model, path) for path in self.images]
        within, across, distance = torch.tensor(found).nanmean(0).tolist()
        return dict(within=within, across=across, distance=distance)

    @torch.no_grad()
    def _of_image(self, model: DeCLIP, path: Path) -> list[Tensor]:
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (model.mean, model.std))
        image = torch.from_numpy(cv2.imread(str(path))[..., ::-1] / 255)
        image = ((image.permute(2, 0, 1) - mean) / std).float()[None]
        segment, pure = self._tokens(path.stem)
        with model.readout.capture() as compared:
            model(image)
        grid = tuple(side // PATCH for side in image.shape[-2:])
        target = features_on_grid(self.vfm, image, model.mean, model.std, grid)
        student = correlations(rearrange(compared[0][0], 'h n d -> n (h d)')[pure])
        teacher = correlations(rearrange(target[0], 'c h w -> (h w) c')[pure])
        same = segment[pure, None] == segment[None, pure]
        distance = (student - teacher).abs().mean()
        return [student[same].mean(), student[~same].mean(), distance]

    def _tokens(self, stem: str) -> tuple[Tensor, Tensor]:
        """Segment of every token, and whether it lies in one alone."""
        png = cv2.imread(str(self.segments / f'{stem}.png')).astype(np.int64)
        ids = torch.from_numpy(png @ np.array([65536, 256, 1]))
        tokens = rearrange(ids, '(h p) (w q) -> (h w) (p q)', p=PATCH, q=PATCH)
        return tokens[:, 0], (tokens == tokens[:, :1]).all(1)


def correlations(tokens: Tensor) -> Tensor:
    """(N, C) to the (N, N) cosines."""
    unit = F.normalize(tokens, dim=1)
    return unit @ unit.T
