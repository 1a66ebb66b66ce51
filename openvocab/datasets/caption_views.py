"""Image-caption pairs on disk for contrastive pre-training of the tiny VLMs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ..fileio import atomic_path, write_atomically
from ..registry import DATASETS
from .ov_shapes.views import ViewStatistics, draw_view
from .ov_shapes.world import World

_IMAGES, _CAPTIONS = 'views.npy', 'captions.json'
# Keeps the views apart from the scenes of any split of the same seed.
_STREAM = 1000


def write_caption_views(
    root: Path,
    count: int,
    seed: int = 0,
    world: World | None = None,
    views: ViewStatistics | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draws ``count`` views into ``root`` unless the same number is there already.

    Args:
        root: Folder for ``views.npy (N, S, S, 3)`` uint8 BGR and ``captions.json``.
        count: Number of image-caption pairs.
        seed: Seed of everything that is drawn.
        world: Statistics of the scenes.
        views: Mixture of the views.
        progress: Called with (views done, views in all).
    """
    world, views = world or World(), views or ViewStatistics()
    captions_file = root / _CAPTIONS
    if captions_file.exists():
        if len(json.loads(captions_file.read_text())) == count:
            return
        captions_file.unlink()
    shape = (count, views.size, views.size, 3)
    captions: list[tuple[str, str]] = []
    with atomic_path(root / _IMAGES) as temporary:
        images = np.lib.format.open_memmap(temporary, 'w+', np.uint8, shape)
        for index in range(count):
            rng = np.random.default_rng([seed, _STREAM, index])
            images[index], caption, phrase = draw_view(rng, world, views)
            captions.append((caption, phrase))
            if progress is not None:
                progress(index + 1, count)
        images.flush()
    # Written last: its presence says that the images are complete.
    write_atomically(captions_file, json.dumps(captions).encode())


@DATASETS.register_module()
class CaptionViewDataset(Dataset):
    """Reads what :func:`write_caption_views` wrote.

    Items are ``dict(inputs=(3, S, S) uint8 BGR, data_samples=dict(caption, phrase))``
    and fit torch's ``default_collate``.

    Args:
        data_root: Folder of the views.
        flip: Mirror each view with probability one half.

    Raises:
        FileNotFoundError: If the folder holds no complete set of views.
    """

    def __init__(self, data_root: str, flip: bool = True) -> None:
        root = Path(data_root)
        for name in (_CAPTIONS, _IMAGES):
            if not (root / name).exists():
                raise FileNotFoundError(
                    f'{root / name} is missing; draw it with '
                    f'tools/dataset_converters/ov_shapes.py --caption-views N'
                )
        self.captions = json.loads((root / _CAPTIONS).read_text())
        self.images = np.load(root / _IMAGES, mmap_mode='r')
        self.flip = flip
        self.metainfo: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.captions)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image = torch.from_numpy(np.array(self.images[index]))
        if self.flip and torch.rand(()) < 0.5:
            image = image.flip(1)
        caption, phrase = self.captions[index]
        return {
            'inputs': image.permute(2, 0, 1).contiguous(),
            'data_samples': {'caption': caption, 'phrase': phrase},
        }
