"""Trains a tiny aligner for two steps as one rank of a gloo group.

``python alignment_worker.py CONFIG.json RANK``: the file holds ``folder``, ``aligner``,
``reduction``, ``world_size`` and ``shards``; shard i holds the images of rank i. The
parameters after the steps go to ``folder/rank{RANK}.pth``.
"""

import copy
import json
import sys
from pathlib import Path

import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper

from helpers import tiny_aligners as tiny

IMAGES = (3, 0, 5, 1, 2)  # regions per image; the ranks get unequal shares
STEPS = 2


def build(config: dict, rank: int) -> torch.nn.Module:
    folder = Path(config['folder']) / f'model{rank}'
    folder.mkdir()
    if config['aligner'] == 'clipself':
        return tiny.clipself(folder)
    if config['aligner'] == 'declip':
        return tiny.declip(folder, mask_padding=True)
    # some regions are dropped, so that the ranks keep unequal numbers
    loss = dict(reduction=config['reduction'], theta=0.4)
    return tiny.densevlm(folder, loss=loss, scales=[40, 56])


def main(config: dict, rank: int) -> None:
    torch.set_num_threads(1)
    size, folder = config['world_size'], Path(config['folder'])
    if size > 1:
        torch.distributed.init_process_group(
            'gloo', f'file://{folder}/store', rank=rank, world_size=size
        )
    model = build(config, rank).train()
    start = copy.deepcopy(model.state_dict())
    trainable = [p for p in model.parameters() if p.requires_grad]
    # SGD keeps the proportion of gradients, which Adam would hide
    optimizer = OptimWrapper(torch.optim.SGD(trainable, lr=0.5))
    runner = MMDistributedDataParallel(model) if size > 1 else model
    keep = []
    for step in range(STEPS):
        batch = tiny.make_batch(IMAGES, seed=step)
        for index, sample in enumerate(batch['data_samples']):
            sample.set_metainfo(dict(img_shape=(40 - 5 * index, 56)))
        mine = config['shards'][rank]
        batch = {key: [values[i] for i in mine] for key, values in batch.items()}
        logged = runner.train_step(batch, optimizer)
        keep.append(logged.get('keep_ratio', torch.zeros(())).item())
    state = dict(start=start, parameters=model.state_dict(), keep=keep)
    torch.save(state, folder / f'rank{rank}.pth')


if __name__ == '__main__':
    main(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2]))
