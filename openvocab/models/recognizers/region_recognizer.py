"""Names annotated regions by the text row that is most similar.

Call graph of ``predict``::

    predict -> fit_images -> dense_map -> pool_boxes / pool_segments -> classify
            -> encode_crops                                          -> classify

Shapes: B images, D width of the joint space, K classes, N_i regions of image i.
"""

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn import functional as F

from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample

from ..building import build_module, build_text_bank
from ..dense_map import dense_map
from ..image_fit import fit_images
from ..poolers import segment_map_to_token_masks
from .image_preprocessor import normalize_crops, preprocessor_config

_CROPS_PER_PASS = 128
_TOP = 5


@MODELS.register_module()
class RegionRecognizer(BaseModel):
    """Zero-shot classification of regions from a dense map, without training.

    The protocol of CLIPSelf and DenseVLM (Boxes, Masks, and the crop baseline).

    Args:
        backbone: A ``CLIPBackbone`` or its config.
        text_bank: A ``TextBank`` of the same joint space, or its config. A config
            without ``encoder`` takes the text tower of the backbone's own CLIP.
        data_preprocessor: By default an ``ImagePreprocessor`` with the backbone's own
            mean and std, for BGR images.
        pooler: Box pooling.
        mask_pooler: Mask pooling.
        with_crops: Also classify ``regions.crops`` by the encoder's image embedding.
        init_cfg: See mmengine's ``BaseModule``.

    Raises:
        ValueError: If backbone and text bank differ in width.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        data_preprocessor: dict | nn.Module | None = None,
        pooler: dict | nn.Module = dict(type='openvocab.RoIPooler'),  # noqa: B006
        mask_pooler: dict | nn.Module = dict(type='openvocab.MaskPooler'),  # noqa: B006
        with_crops: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        backbone = build_module(backbone)
        super().__init__(
            data_preprocessor or preprocessor_config(backbone.mean, backbone.std),
            init_cfg=init_cfg,
        )
        self.backbone = backbone
        self.text_bank = build_text_bank('text_bank', text_bank, backbone)
        self.pooler = build_module(pooler)
        self.mask_pooler = build_module(mask_pooler)
        self.with_crops = with_crops

    def set_vocabulary(self, source: object) -> None:
        """Replaces the classes; see ``Vocabulary.load`` for what is accepted."""
        self.text_bank.set_vocabulary(source)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[RegionDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[RegionDataSample] | Tensor:
        """Runs one of mmengine's three modes.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image.
            mode: ``loss``, ``predict`` or ``tensor`` (the dense map).

        Raises:
            ValueError: If the mode is unknown.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            images = fit_images(inputs, self.backbone.patch_size).images
            return dense_map(self.backbone, images)
        raise ValueError(f'mode {mode!r} is not one of loss, predict, tensor')

    def loss(
        self, inputs: Tensor, data_samples: list[RegionDataSample]
    ) -> dict[str, Tensor]:
        """Not available: a recogniser without an aligner learns nothing."""
        raise NotImplementedError(
            f'{type(self).__name__} has no loss; train with an aligner'
        )

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, data_samples: list[RegionDataSample]
    ) -> list[RegionDataSample]:
        """Fills ``predictions`` of every data sample.

        ``boxes`` holds the thing regions (all regions where ``is_thing`` is not
        annotated), ``masks`` the regions that own a pixel of ``segment_map``,
        ``crops`` the thing regions with a valid crop.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image, with ``regions``.

        Returns:
            The data samples given.
        """
        fitted = fit_images(inputs, self.backbone.patch_size)
        features = dense_map(self.backbone, fitted.images)
        stride = self.backbone.strides[-1]
        found: dict[str, tuple[list[Tensor], Tensor]] = {}

        index = [_thing_index(sample) for sample in data_samples]
        boxes = [
            sample.regions.bboxes[rows]
            for sample, rows in zip(data_samples, index, strict=True)
        ]
        boxes = fitted.scale_boxes(boxes)
        found['boxes'] = index, self.pooler(features, boxes, stride)

        if any('segment_map' in sample for sample in data_samples):
            size, grid = inputs.shape[-2:], features.shape[-2:]
            masks = [_token_masks(sample, size, grid) for sample in data_samples]
            index = [mask.flatten(1).any(1).nonzero().flatten() for mask in masks]
            masks = [mask[rows] for mask, rows in zip(masks, index, strict=True)]
            found['masks'] = index, self.mask_pooler(features, masks)

        if self.with_crops:
            index = [_crop_index(sample) for sample in data_samples]
            crops = torch.cat(
                [
                    sample.regions.crops[rows]
                    for sample, rows in zip(data_samples, index, strict=True)
                ]
            )
            found['crops'] = index, self.encode_crops(crops)

        for sample in data_samples:
            sample.predictions = {}
        for kind, (index, embeddings) in found.items():
            topk = self.classify(embeddings).cpu()
            parts = topk.split([len(rows) for rows in index])
            for sample, rows, part in zip(data_samples, index, parts, strict=True):
                sample.predictions[kind] = InstanceData(region=rows.cpu(), topk=part)
        return data_samples

    def classify(self, embeddings: Tensor) -> Tensor:
        """Most similar classes.

        Args:
            embeddings: (M, D), any length.

        Returns:
            (M, min(5, K)) int64 class indices, best first.
        """
        rows = self.text_bank()
        similarity = F.normalize(embeddings.float(), dim=1) @ rows.T
        return similarity.topk(min(_TOP, len(rows)), dim=1).indices

    def encode_crops(self, crops: Tensor) -> Tensor:
        """Image embeddings of crops, a limited number at a time.

        Args:
            crops: (M, 3, S, S) uint8 in the channel order of the loader.

        Returns:
            (M, D) float32.
        """
        if len(crops) == 0:
            return crops.new_zeros((0, self.backbone.embed_dim), dtype=torch.float32)
        images = normalize_crops(crops, self.data_preprocessor)
        chunks = images.split(_CROPS_PER_PASS)
        return torch.cat([self.backbone.encode_image(c).float() for c in chunks])


def _thing_index(sample: RegionDataSample) -> Tensor:
    regions = sample.regions
    if 'is_thing' in regions:
        return regions.is_thing.nonzero().flatten()
    return torch.arange(len(regions.bboxes), device=regions.bboxes.device)


def _crop_index(sample: RegionDataSample) -> Tensor:
    regions = sample.regions
    if 'crops' not in regions:
        raise ValueError(
            'with_crops=True but regions have no crops; add CropRegions to the pipeline'
        )
    valid = regions.crop_valid
    if 'is_thing' in regions:
        valid = valid & regions.is_thing
    return valid.nonzero().flatten()


def _token_masks(
    sample: RegionDataSample, size: tuple[int, int], grid: tuple[int, int]
) -> Tensor:
    boxes = sample.regions.bboxes
    if 'segment_map' not in sample:
        return torch.zeros(len(boxes), *grid, dtype=torch.bool, device=boxes.device)
    segments = sample.segment_map
    # images of a batch are padded to the largest one, at the bottom and the right
    missing = (size[1] - segments.shape[1], size[0] - segments.shape[0])
    segments = F.pad(segments, (0, missing[0], 0, missing[1]))
    return segment_map_to_token_masks(segments, len(boxes), grid)
